package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"groundwork"
)

// reachable says, of a table whose rows are changed by steps, how its things are called and where one lies. A thing that may be read and yet
// not be locked lies outside of what the actor reaches.
var reachable = map[string]struct{ noun, place string }{
	"issue":           {"issue", "SELECT t.public_ref AS name, t.region_id FROM issue t WHERE t.id = @id"},
	"visit":           {"visit", "SELECT t.id::text AS name, s.region_id FROM visit t JOIN site s ON s.id = t.site_id WHERE t.id = @id"},
	"rota_slot":       {"slot", "SELECT t.id::text AS name, t.region_id FROM rota_slot t WHERE t.id = @id"},
	"campaign":        {"campaign", "SELECT t.id::text AS name, (SELECT r.region_id FROM campaign_region r WHERE r.campaign_id = t.id AND r.role = 'TREATED' ORDER BY 1 LIMIT 1) AS region_id FROM campaign t WHERE t.id = @id"},
	"campaign_task":   {"task", "SELECT t.id::text AS name, (SELECT r.region_id FROM campaign_region r WHERE r.campaign_id = t.campaign_id AND r.role = 'TREATED' ORDER BY 1 LIMIT 1) AS region_id FROM campaign_task t WHERE t.id = @id"},
	"discussion_post": {"discussion post", "SELECT t.id::text AS name, d.region_id FROM discussion_post t JOIN discussion d ON d.id = t.discussion_id WHERE t.id = @id"},
	"policy":          {"policy", "SELECT t.id::text AS name, t.region_id FROM policy t WHERE t.id = @id"},
	"policy_change":   {"policy change", "SELECT t.id::text AS name, p.region_id FROM policy_change t JOIN policy p ON p.id = t.policy_id WHERE t.id = @id"},
	"policy_version":  {"policy version", "SELECT t.id::text AS name, p.region_id FROM policy_version t JOIN policy p ON p.id = t.policy_id WHERE t.id = @id"},
}

// unreached says why a thing could not be locked: it does not exist, as far as the actor may know, or it lies where the actor does not
// reach. Then the refusal names the place and the remedy.
func unreached(ctx context.Context, tx pgx.Tx, by groundwork.Actor, table string, id uuid.UUID) error {
	type found struct {
		Name     string
		RegionID *uuid.UUID
	}
	about := reachable[table]
	seen, err := one[found](ctx, tx, "look where it lies", about.place, pgx.NamedArgs{"id": id})
	if err != nil {
		return err
	}
	if seen == nil {
		return groundwork.Errorf(groundwork.CodeNotFound, "%s %s does not exist", about.noun, id)
	}
	if message := notTheirs(by, about.noun+" "+seen.Name); message != "" {
		return groundwork.Errorf(groundwork.CodeForbidden, "%s", message)
	}
	return outside(ctx, tx, by, about.noun+" "+seen.Name, seen.RegionID)
}

// notTheirs is why a thing is not for somebody whose role reaches what is its own or its unit's; empty for roles that reach regions.
func notTheirs(by groundwork.Actor, thing string) string {
	switch by.Role {
	case groundwork.RoleCitizen:
		return thing + " is for those who reported it: act with the account that did, or give the secret that came with the opinion"
	case groundwork.RoleHandler, groundwork.RoleUnitHead, groundwork.RolePolicyOwner:
		if by.UnitID == nil {
			return thing + " is for the units that work on it; act with a unit"
		}
		return fmt.Sprintf("%s is for the units that work on it, not for unit %s; act for one that does", thing, by.UnitID)
	}
	return ""
}

// outside says that something lies outside of what the actor reaches.
func outside(ctx context.Context, q querier, by groundwork.Actor, thing string, place *uuid.UUID) error {
	own, err := regionNames(ctx, q, by.RegionIDs)
	if err != nil {
		return err
	}
	reach := strings.Join(own, ", ")
	if reach == "" {
		reach = "no region"
	}
	where, grant := "", ""
	if place != nil {
		named, err := regionNames(ctx, q, []uuid.UUID{*place})
		if err != nil {
			return err
		}
		where = " in " + strings.Join(named, "")
		grant = strings.Join(named, "")
		grant = " " + grant[strings.LastIndex(grant, " ")+1:]
	}
	message := fmt.Sprintf("%s lies%s outside of what %s reaches as %s (%s)", thing, where, by.ID, by.Role, reach)
	if by.Role == groundwork.RoleLeader {
		message += "; leaders reach their own visits and posts, and the regions that they are bound to"
	}
	return groundwork.Errorf(groundwork.CodeForbidden, "%s; leave it to somebody who is bound there, or have the role granted there: groundwork account grant %s --role %s --region%s",
		message, by.ID, by.Role, grant)
}

// regionNames names regions with their codes behind.
func regionNames(ctx context.Context, q querier, ids []uuid.UUID) ([]string, error) {
	return scalars[string](ctx, q, "name regions", "SELECT name || ' ' || code FROM region WHERE id = ANY(@ids) ORDER BY code", pgx.NamedArgs{"ids": ids})
}

// narrowedAway reports whether row-level security refused a row that was written.
func narrowedAway(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "42501" && strings.Contains(pg.Message, "row-level security")
}

// refusal turns what the database says of a write into what a caller can act on; a new thing would have lain at place, nil = unknown.
func (db *DB) refusal(ctx context.Context, by groundwork.Actor, op string, place *uuid.UUID, err error) error {
	if !narrowedAway(err) {
		return translate(op, err)
	}
	var refused error
	if message := notTheirs(by, op+": what it writes"); message != "" {
		refused = groundwork.Errorf(groundwork.CodeForbidden, "%s", message)
	} else {
		refused = outside(ctx, db.pool, by, op+": what it writes", place)
	}
	if e, ok := errors.AsType[*groundwork.Error](refused); ok {
		e.Err = err
	}
	return refused
}

// addRows adds rows, values[i] in the order of columns. Few go as INSERTs in one round trip; many are copied, but for where row-level security
// narrows what may be written: there Postgres has no COPY.
func addRows(ctx context.Context, tx pgx.Tx, table string, columns []string, n int, values func(i int) []any) error {
	const few = 16
	if n > few && tx.Conn().Config().RuntimeParams["role"] != RoleApp {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, func(i int) ([]any, error) { return values(i), nil }))
		return err
	}
	places := make([]string, len(columns))
	for i := range columns {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	insert := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
	if n == 1 {
		_, err := tx.Exec(ctx, insert, values(0)...)
		return err
	}
	batch := &pgx.Batch{}
	for i := range n {
		batch.Queue(insert, values(i)...)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// reachedSQL reads, of things that may be read, those of which the actor may read more than the public does.
var reachedSQL = map[string]string{
	"issue":    "SELECT id FROM issue WHERE id = ANY(@ids) AND access.knows_issue(id, region_id, lead_unit_id, recorded_by)",
	"visit":    "SELECT id FROM visit WHERE id = ANY(@ids) AND (access.at_site(site_id) OR access.visits(id, site_id, lead_id, recorded_by))",
	"campaign": "SELECT id FROM campaign WHERE id = ANY(@ids) AND (access.in_campaign(id) OR access.has_task(id))",
	"policy_change": "SELECT c.id FROM policy_change c JOIN policy p ON p.id = c.policy_id WHERE c.id = ANY(@ids)" +
		" AND (access.reaches(p.region_id) OR access.shapes(p.id))",
}

// Reached implements groundwork.ReachStore. Nouns that only those read who reach them are reached by whoever read them.
func (db *DB) Reached(ctx context.Context, noun string, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	reached := make(map[uuid.UUID]bool, len(ids))
	by := groundwork.ActorFrom(ctx)
	if !by.Role.WorksOnIssues() {
		return reached, nil
	}
	sql, public := reachedSQL[noun]
	if db.bound && public && !by.Everywhere {
		var err error
		if ids, err = scalars[uuid.UUID](ctx, db.reads(), "see what is reached", sql, pgx.NamedArgs{"ids": distinct(ids)}); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		reached[id] = true
	}
	return reached, nil
}
