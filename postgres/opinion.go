package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const opinionColumns = `id, source, external_id, channel, kind, received_at, received_precision, occurred_at, visit_id, reporter_pid,
	subject, text, latitude, longitude, precision_m, region_id, site_id, confidentiality, supported, opposed, created_at, redacted_at`

// ownSource is the source of what is recorded here.
const ownSource = "groundwork"

// Opinions implements groundwork.OpinionStore.
func (db *DB) Opinions(ctx context.Context, f groundwork.OpinionFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Opinion], error) {
	return opinions(ctx, db.reads(), f, p)
}

func opinions(ctx context.Context, q querier, f groundwork.OpinionFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Opinion], error) {
	c, from := where(), "opinion"
	if f.Text != "" {
		if err := searchable("filter.text.contains", f.Text); err != nil {
			return groundwork.Page[*groundwork.Opinion]{}, err
		}
		from = "access.opinion_words" // the same rows, which the planner may search by the indexes of words
		c.terms = append(c.terms, c.says("(subject || ' ' || text)", f.Text))
	}
	c.under("region_id", f.Under)
	if f.RegionUnknown {
		c.add("region_id IS NULL")
	}
	among(c, "channel", f.Channels)
	among(c, "kind", f.Kinds)
	among(c, "source", f.Sources)
	if f.VisitID != nil {
		c.add("visit_id = %s", *f.VisitID)
	}
	c.within("received_at", f.Received)
	c.is("EXISTS (SELECT FROM issue_opinion link WHERE link.opinion_id = "+from+".id)", f.Linked)
	latest := order[groundwork.Opinion]{name: "RECEIVED_DESC", expression: "received_at", cast: "timestamptz", descending: true,
		position: func(o *groundwork.Opinion) (string, uuid.UUID) { return moment(o.ReceivedAt), o.ID }}
	return pageFrom(ctx, q, opinionColumns, from, c, latest, p)
}

// OpinionBySecret implements groundwork.OpinionStore.
func (db *DB) OpinionBySecret(ctx context.Context, secret string) (*groundwork.Opinion, error) {
	return one[groundwork.Opinion](ctx, db.readsWith(secret), "follow opinion", "SELECT "+opinionColumns+" FROM opinion WHERE secret_digest = @digest",
		pgx.NamedArgs{"digest": groundwork.SecretDigest(secret)})
}

// OpinionsByID implements groundwork.OpinionStore.
func (db *DB) OpinionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Opinion, error) {
	return byID(ctx, db, opinionColumns, "opinion", ids, func(o *groundwork.Opinion) uuid.UUID { return o.ID })
}

// opinionOf is an opinion with the issue that it belongs to.
type opinionOf struct {
	IssueID uuid.UUID
	groundwork.Opinion
}

// OpinionsOf implements groundwork.OpinionStore.
func (db *DB) OpinionsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Opinion, error) {
	items, err := collect[opinionOf](ctx, db.reads(), "read opinions of issues", `
		SELECT wanted.issue_id, o.*
		FROM unnest(@ids::uuid[]) AS wanted (issue_id)
		CROSS JOIN LATERAL (
			SELECT `+opinionColumns+`
			FROM opinion
			WHERE id IN (SELECT link.opinion_id FROM issue_opinion link WHERE link.issue_id = wanted.issue_id)
			ORDER BY received_at, id
			LIMIT @limit
		) o
		ORDER BY wanted.issue_id, o.received_at, o.id`, pgx.NamedArgs{"ids": distinct(issueIDs), "limit": limit})
	if err != nil {
		return nil, err
	}
	of := map[uuid.UUID][]*groundwork.Opinion{}
	for i := range items {
		of[items[i].IssueID] = append(of[items[i].IssueID], &items[i].Opinion)
	}
	return of, nil
}

// SubmitOpinion implements groundwork.OpinionStore. A citizen who submits becomes the reporter, under a pseudonym.
func (db *DB) SubmitOpinion(ctx context.Context, by groundwork.Actor, o groundwork.Opinion) (*groundwork.Opinion, groundwork.Receipt, error) {
	now, given := groundwork.Moment(db.now()), o.ReceivedAt
	fillOpinion(&o, now)
	if err := o.Validate(now); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	asked := o
	asked.ReceivedAt = given // when it was sent is none of what was asked: the same may be sent again later
	return do(ctx, db, request[groundwork.Opinion]{op: "submit opinion", by: by, input: asked, table: "opinion", columns: opinionColumns, region: o.RegionID,
		id: func(made *groundwork.Opinion) uuid.UUID { return made.ID }, again: db.tellSecretAgain}, func(tx pgx.Tx) (*groundwork.Opinion, error) {
		id, reporter := newID(o.ID), o.ReporterPID
		secret := db.secretKey.Of(id)
		contact := o.Contact.Given()
		switch {
		case reporter == nil && (by.ID == groundwork.Anonymous.ID || contact != nil && by.Role != groundwork.RoleCitizen):
			reporter = new(uuid.New()) // each anonymous opinion has a reporter of its own, and so has one that is taken in for somebody
		case reporter == nil && by.Role == groundwork.RoleCitizen:
			pids, err := pseudonyms(ctx, tx, ownSource, []string{by.ID})
			if err != nil {
				return nil, err
			}
			reporter = new(pids[by.ID])
		}
		if o.Confidentiality == groundwork.Confidential { // so that it may be read back
			if err := prove(ctx, tx, secret); err != nil {
				return nil, err
			}
		}
		made, err := insert[groundwork.Opinion](ctx, tx, "opinion", opinionColumns, pgx.NamedArgs{
			"id": id, "source": o.Source, "external_id": o.ExternalID, "channel": o.Channel, "kind": o.Kind,
			"received_at": o.ReceivedAt, "received_precision": o.ReceivedPrecision, "occurred_at": o.OccurredAt, "visit_id": o.VisitID,
			"reporter_pid": reporter, "subject": o.Subject, "text": o.Text, "latitude": o.Latitude, "longitude": o.Longitude,
			"precision_m": o.PrecisionM, "region_id": o.RegionID, "site_id": o.SiteID, "confidentiality": o.Confidentiality,
			"secret_digest": groundwork.SecretDigest(secret), "recorded_by": by.ID,
		})
		if err == nil && contact != nil {
			err = db.keepContact(ctx, tx, *reporter, contact)
		}
		if err == nil {
			made.Secret = secret
		}
		return made, err
	})
}

// tellSecretAgain completes an opinion that was submitted before by its secret, for whoever sends the same request again.
func (db *DB) tellSecretAgain(ctx context.Context, tx pgx.Tx, o *groundwork.Opinion) error {
	digests, err := scalars[[]byte](ctx, tx, "read the digest of a secret", "SELECT secret_digest FROM opinion WHERE id = @id", pgx.NamedArgs{"id": o.ID})
	if err == nil && len(digests) == 1 {
		o.Secret = db.secretKey.Again(o.ID, digests[0])
	}
	return err
}

func fillOpinion(o *groundwork.Opinion, now time.Time) {
	if o.ReceivedAt.IsZero() {
		o.ReceivedAt = now
	}
	if o.Source == "" {
		o.Source = ownSource
	}
	if o.ReceivedPrecision == "" {
		o.ReceivedPrecision = groundwork.ToTheSecond
	}
	if o.Confidentiality == "" {
		o.Confidentiality = "NAME_HIDDEN"
	}
}

// pseudonyms returns the pseudonyms of accounts of a source, and makes those that are missing.
func pseudonyms(ctx context.Context, tx pgx.Tx, source string, accounts []string) (map[string]uuid.UUID, error) {
	return askVault(ctx, tx, "pseudonyms", source, distinct(accounts))
}

// knownPseudonyms returns the pseudonyms that accounts of a source have.
func knownPseudonyms(ctx context.Context, q querier, source string, accounts []string) (map[string]uuid.UUID, error) {
	return askVault(ctx, q, "known", source, accounts)
}

// askVault goes through one of the doors of the vault: they lead from an account to its pseudonym, never back.
func askVault(ctx context.Context, q querier, door, source string, accounts []string) (map[string]uuid.UUID, error) {
	type reporter struct {
		ExternalKey string
		PID         uuid.UUID
	}
	items, err := collect[reporter](ctx, q, "read pseudonyms", "SELECT external_key, pid FROM vault."+door+"(@source, @keys)",
		pgx.NamedArgs{"source": source, "keys": accounts})
	if err != nil {
		return nil, err
	}
	pids := make(map[string]uuid.UUID, len(items))
	for _, r := range items {
		pids[r.ExternalKey] = r.PID
	}
	return pids, nil
}

// distinct returns the values without repeats, in their order.
func distinct[T comparable](values []T) []T {
	seen := make(map[T]bool, len(values))
	once := make([]T, 0, len(values))
	for _, v := range values {
		if !seen[v] {
			seen[v] = true
			once = append(once, v)
		}
	}
	return once
}
