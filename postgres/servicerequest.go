package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// Services implements groundwork.ServiceStore.
func (db *DB) Services(ctx context.Context, on time.Time, code string) ([]groundwork.Service, error) {
	return collect[groundwork.Service](ctx, db.reads(), "list services", `
		WITH valid AS (SELECT * FROM category WHERE valid_from <= @day::date AND (valid_to IS NULL OR valid_to > @day::date))
		SELECT id AS category_id, code, name, path FROM valid
		WHERE (@code = '' OR code = @code) AND NOT EXISTS (SELECT FROM valid below WHERE below.parent_id = valid.id)
		ORDER BY code`, pgx.NamedArgs{"day": groundwork.DayOf(on), "code": code})
}

// isPublic keeps issues that nobody told anything of in confidence.
func isPublic(issue string) string {
	return "NOT EXISTS (SELECT FROM issue_opinion link JOIN opinion o ON o.id = link.opinion_id WHERE link.issue_id = " + issue +
		".id AND o.confidentiality = 'CONFIDENTIAL')"
}

// serviceRequests reads, of the issues chosen, what the public may know and, of the place and times, what is still to be blurred.
// Villages are not named: below 1,000 residents they are too small to be told apart.
var serviceRequests = `
	SELECT i.id AS issue_id, i.public_ref AS ref, i.state, i.closure_type, claim.kind AS claim_kind, i.merged_into_id,
		target.public_ref AS merged_into, c.code, c.name, unit.name AS agency, coalesce(place.names, '{}') AS place, r.urban_rural,
		located.latitude, located.longitude, said.text, i.origin_at, coalesce(i.closed_at, i.updated_at) AS updated_at, i.due_at
	FROM chosen i
	LEFT JOIN category c ON c.id = i.category_id
	LEFT JOIN org_unit unit ON unit.id = i.lead_unit_id
	LEFT JOIN region r ON r.id = i.region_id
	LEFT JOIN issue target ON target.id = i.merged_into_id AND ` + isPublic("target") + `
	LEFT JOIN LATERAL (
		SELECT array_agg(above.name ORDER BY nlevel(above.path) DESC) AS names FROM region above
		WHERE above.code = ANY(string_to_array(r.path::text, '.')) AND above.level <> 'VILLAGE_COMMITTEE') place ON true
	LEFT JOIN LATERAL (SELECT kind FROM claim WHERE issue_id = i.id ORDER BY n DESC LIMIT 1) claim ON true
	LEFT JOIN LATERAL (
		SELECT o.text FROM issue_opinion link JOIN opinion o ON o.id = link.opinion_id
		WHERE link.issue_id = i.id AND o.confidentiality = 'PUBLIC' ORDER BY o.received_at, o.id LIMIT 1) said ON true
	LEFT JOIN LATERAL (
		SELECT o.latitude, o.longitude FROM issue_opinion link JOIN opinion o ON o.id = link.opinion_id
		WHERE link.issue_id = i.id AND o.latitude IS NOT NULL ORDER BY o.received_at, o.id LIMIT 1) located ON true
	ORDER BY i.origin_at DESC, i.id DESC`

// ServiceRequests implements groundwork.ServiceStore.
func (db *DB) ServiceRequests(ctx context.Context, f groundwork.ServiceRequestFilter) ([]groundwork.ServiceRequest, error) {
	c := requestConditions(f)
	sql := "WITH chosen AS (SELECT * FROM issue WHERE " + c.sql() + " ORDER BY origin_at DESC, id DESC LIMIT " + c.arg(f.Limit) +
		" OFFSET " + c.arg(f.Offset) + ")" + serviceRequests
	found, err := collect[groundwork.ServiceRequest](ctx, db.reads(), "list service requests", sql, c.args)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	displacer, err := db.displacer(ctx)
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i] = found[i].Public(displacer)
	}
	return found, nil
}

func requestConditions(f groundwork.ServiceRequestFilter) *conditions {
	c := where()
	c.add(isPublic("issue"))
	if len(f.Refs) > 0 {
		c.add("public_ref = ANY(%s)", f.Refs)
		return c
	}
	if f.Jurisdiction != "" {
		c.add("region_id IN (SELECT below.id FROM region below JOIN region top ON below.path <@ top.path WHERE top.code = %s)", f.Jurisdiction)
	}
	if len(f.Codes) > 0 {
		c.add("category_id IN (SELECT id FROM category WHERE code = ANY(%s))", f.Codes)
	}
	c.within("origin_at", f.Origin)
	c.is("state NOT IN ('CLOSED', 'MERGED')", f.Open)
	return c
}

// displacer reads the key that displaces places.
func (db *DB) displacer(ctx context.Context) (groundwork.Displacer, error) {
	keys, err := scalars[[]byte](ctx, db.reads(), "read the key of displacement", "SELECT key FROM displacement_key", nil)
	if err != nil {
		return groundwork.Displacer{}, err
	}
	if len(keys) == 0 {
		return groundwork.Displacer{}, groundwork.Errorf(groundwork.CodeUnavailable, "table displacement_key is empty, so no place can be shown; restore its row from a backup")
	}
	return groundwork.Displacer{Key: keys[0]}, nil
}

// ServiceRequestRef implements groundwork.ServiceStore.
func (db *DB) ServiceRequestRef(ctx context.Context, opinionID uuid.UUID) (string, error) {
	refs, err := scalars[string](ctx, db.reads(), "look up the request of an opinion",
		"SELECT issue.public_ref FROM issue_opinion mine JOIN issue ON issue.id = mine.issue_id WHERE mine.opinion_id = @opinion AND "+isPublic("issue"),
		pgx.NamedArgs{"opinion": opinionID})
	if err != nil || len(refs) == 0 {
		return "", err
	}
	return refs[0], nil
}

// FileServiceRequest implements groundwork.ServiceStore. The external id is the identity of the request; long after, when the receipt
// of the request is forgotten, the opinion still has it.
func (db *DB) FileServiceRequest(ctx context.Context, by groundwork.Actor, f groundwork.Filing) (groundwork.Filed, groundwork.Receipt, error) {
	by.Via.ClientMutationID = f.ExternalID
	secret := ""
	r := issueRequest("file service request", by, f)
	r.again = func(ctx context.Context, tx pgx.Tx, _ *groundwork.Issue) error { // sent again, it has an external id
		opinion, err := filedOpinion(ctx, tx, f)
		if err == nil && opinion != nil {
			err = db.tellSecretAgain(ctx, tx, opinion)
			secret = opinion.Secret
		}
		return err
	}
	issue, receipt, err := do(ctx, db, r, func(tx pgx.Tx) (*groundwork.Issue, error) {
		before, err := one[groundwork.Issue](ctx, tx, "look for the same request", "SELECT "+issueColumns+` FROM issue WHERE id = (
			SELECT link.issue_id FROM opinion o JOIN issue_opinion link ON link.opinion_id = o.id WHERE o.source = @source AND o.external_id = @id)`,
			pgx.NamedArgs{"source": groundwork.FilingSource(f.Account), "id": f.ExternalID})
		if err != nil {
			return nil, err
		}
		if before != nil {
			return before, r.again(ctx, tx, before)
		}
		opinion, err := db.addFiled(ctx, tx, by, f)
		if err != nil {
			return nil, err
		}
		secret = opinion.Secret
		return db.register(ctx, tx, groundwork.Registration{
			Actor: by, OpinionIDs: []uuid.UUID{opinion.ID}, Title: f.Service.Name, CategoryID: &f.Service.CategoryID,
		})
	})
	if refused, ok := errors.AsType[*groundwork.Error](err); ok && refused.Field == "clientMutationId" {
		err = &groundwork.Error{Code: groundwork.CodeConflict, Field: "external_id", Err: err,
			Message: fmt.Sprintf("external_id %q was used for a request that says something else; give a new one", f.ExternalID)}
	}
	if err != nil {
		return groundwork.Filed{}, receipt, err
	}
	return groundwork.Filed{Ref: issue.PublicRef, Secret: secret}, receipt, nil
}

// filedOpinion reads the opinion that an earlier filing of the same external id made.
func filedOpinion(ctx context.Context, tx pgx.Tx, f groundwork.Filing) (*groundwork.Opinion, error) {
	return one[groundwork.Opinion](ctx, tx, "look for the same opinion", "SELECT "+opinionColumns+" FROM opinion WHERE source = @source AND external_id = @id",
		pgx.NamedArgs{"source": groundwork.FilingSource(f.Account), "id": f.ExternalID})
}

// addFiled records the opinion that a filing makes, under the pseudonym of its reporter.
func (db *DB) addFiled(ctx context.Context, tx pgx.Tx, by groundwork.Actor, f groundwork.Filing) (*groundwork.Opinion, error) {
	var region *uuid.UUID
	if f.RegionCode != "" {
		found, err := regionByCode(ctx, tx, f.RegionCode)
		if err != nil {
			return nil, err
		}
		if found == nil {
			return nil, groundwork.Invalid("region", "there is no region %q; give the 12-digit code of one", f.RegionCode)
		}
		region = &found.ID
	}
	now := groundwork.Moment(db.now())
	o := f.Opinion(region)
	fillOpinion(&o, now)
	if err := o.Validate(now); err != nil {
		return nil, err
	}
	if key, ok := db.secretKey.ReporterKey(o.Source, f.ReporterKey); ok && f.ReporterKey != "" {
		pids, err := pseudonyms(ctx, tx, o.Source, []string{key})
		if err != nil {
			return nil, err
		}
		o.ReporterPID = new(pids[key])
	}
	if o.ReporterPID == nil { // nobody else's, as of an anonymous
		o.ReporterPID = new(uuid.New())
	}
	id := newID(o.ID)
	secret := db.secretKey.Of(id)
	made, err := insert[groundwork.Opinion](ctx, tx, "opinion", opinionColumns, pgx.NamedArgs{
		"id": id, "source": o.Source, "external_id": o.ExternalID, "channel": o.Channel, "kind": o.Kind,
		"received_at": o.ReceivedAt, "received_precision": o.ReceivedPrecision, "reporter_pid": o.ReporterPID, "subject": o.Subject,
		"text": o.Text, "latitude": o.Latitude, "longitude": o.Longitude, "region_id": o.RegionID, "confidentiality": o.Confidentiality,
		"secret_digest": groundwork.SecretDigest(secret), "recorded_by": by.ID,
	})
	if contact := f.Contact.Given(); err == nil && contact != nil && db.vaultKeys.On() {
		err = db.keepContact(ctx, tx, *o.ReporterPID, contact)
	}
	if err == nil {
		made.Secret = secret
	}
	return made, err
}
