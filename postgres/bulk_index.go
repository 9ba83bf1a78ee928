package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"groundwork"
)

// putAside is an index that is dropped for a load and made again at its end: making it once is many times cheaper than keeping it
// up to date row by row.
type putAside struct{ name, def string }

// putIndexesAside drops the indexes of the tables to be loaded that hold no constraint. It is one transaction with the record of
// what was dropped.
func (b *BulkLoad) putIndexesAside(ctx context.Context, tx pgx.Tx) error {
	type index struct{ Name, Def string }
	found, err := collect[index](ctx, tx, "list indexes", `
		SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS def
		FROM pg_index i
		WHERE i.indrelid = ANY(@tables::regclass[]) AND NOT i.indisunique
		ORDER BY 1`, pgx.NamedArgs{"tables": bulkTableNames})
	if err != nil {
		return err
	}
	for _, i := range found {
		b.indexes = append(b.indexes, putAside{i.Name, i.Def})
		if _, err := tx.Exec(ctx, "DROP INDEX "+i.Name); err != nil {
			return err
		}
	}
	return nil
}

func (b *BulkLoad) makeIndex(ctx context.Context, index putAside, report func(string)) error {
	err := b.untimed(ctx, func(tx pgx.Tx) error {
		var there bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", index.name).Scan(&there); err != nil || there {
			return err
		}
		_, err := tx.Exec(ctx, index.def)
		return err
	})
	if err != nil {
		return translate("make index "+index.name, err)
	}
	report("index " + index.name)
	return nil
}

// prove checks what the foreign keys and triggers that were put aside would have refused. A load that breaks a rule stays
// unfinished, and says which.
func (b *BulkLoad) prove(ctx context.Context, report func(string)) error {
	checks, err := b.foreignKeys(ctx)
	if err != nil {
		return err
	}
	return severally(ctx, slices.Concat(checks, bulkRules, []bulkCheck{bulkMoves()}), func(ctx context.Context, check bulkCheck) error { return b.check(ctx, check, report) })
}

func (b *BulkLoad) check(ctx context.Context, check bulkCheck, report func(string)) error {
	var broken bool
	err := b.untimed(ctx, func(tx pgx.Tx) error { return tx.QueryRow(ctx, "SELECT EXISTS ("+check.Broken+")").Scan(&broken) })
	if err != nil {
		return translate("check "+check.Name, err)
	}
	if broken {
		return groundwork.Errorf(groundwork.CodeConflict,
			"the loaded rows break the rule %s; the load stays unfinished: use an empty database and report this fault of its source", check.Name)
	}
	report("check of " + check.Name)
	return nil
}

// bulkCheck is a rule with the query that finds what breaks it.
type bulkCheck struct{ Name, Broken string }

// foreignKeys lists the foreign keys of the loaded tables, each of one column, as rules.
func (b *BulkLoad) foreignKeys(ctx context.Context) ([]bulkCheck, error) {
	type key struct{ Name, Child, Column, Parent, ParentColumn string }
	keys, err := collect[key](ctx, b.db.pool, "list foreign keys", `
		SELECT k.conname AS name, k.conrelid::regclass::text AS child, quote_ident(c.attname) AS column,
			k.confrelid::regclass::text AS parent, quote_ident(p.attname) AS parent_column
		FROM pg_constraint k
		JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1]
		JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[1]
		WHERE k.contype = 'f' AND k.conrelid = ANY(@tables::regclass[]) AND cardinality(k.conkey) = 1
		ORDER BY 1`, pgx.NamedArgs{"tables": bulkTableNames})
	if err != nil {
		return nil, err
	}
	checks := make([]bulkCheck, len(keys))
	for i, k := range keys {
		checks[i] = bulkCheck{k.Name, fmt.Sprintf("SELECT FROM %s c WHERE c.%s IS NOT NULL AND NOT EXISTS (SELECT FROM %s p WHERE p.%s = c.%s)",
			k.Child, k.Column, k.Parent, k.ParentColumn, k.Column)}
	}
	return checks, nil
}

// bulkRules are the rules that triggers hold row by row.
var bulkRules = []bulkCheck{
	{"events without gaps", `
		SELECT FROM (SELECT seq, from_state, known_at, lag(to_state) OVER life AS stood, lag(known_at) OVER life AS known,
				row_number() OVER life AS place
			FROM issue_event WINDOW life AS (PARTITION BY issue_id ORDER BY seq)) e
		WHERE seq <> place OR from_state IS DISTINCT FROM stood OR known_at < known`},
	{"every issue has its events", `
		SELECT FROM issue i WHERE NOT EXISTS (SELECT FROM issue_event e WHERE e.issue_id = i.id AND e.seq = i.seq)`},
	{"verdicts not of handlers", `
		SELECT FROM feedback f JOIN issue_event e ON e.issue_id = f.issue_id AND e.lead_unit_id = f.collected_unit_id
		WHERE f.collected_by = 'INDEPENDENT'`},
	{"calls not of handlers", `
		SELECT FROM callback_attempt a JOIN claim c ON c.id = a.claim_id
		JOIN issue_event e ON e.issue_id = c.issue_id AND e.lead_unit_id = a.agent_unit_id`},
	{"histories without gaps", `
		SELECT FROM (SELECT seq, from_state, at, lag(to_state) OVER life AS stood, lag(at) OVER life AS before, row_number() OVER life AS place
			FROM entity_event WINDOW life AS (PARTITION BY noun, entity_id ORDER BY seq)) e
		WHERE seq <> place OR from_state IS DISTINCT FROM stood OR at < before`},
	{"what has a life stands as its history says", `
		SELECT FROM (SELECT 'visit' AS noun, id, version, state FROM visit UNION ALL SELECT 'rota_slot', id, version, state FROM rota_slot
			UNION ALL SELECT 'policy_change', id, version, state FROM policy_change UNION ALL SELECT 'campaign', id, version, state FROM campaign
			UNION ALL SELECT 'campaign_task', id, version, state FROM campaign_task) n
		WHERE NOT EXISTS (SELECT FROM entity_event e WHERE (e.noun, e.entity_id, e.seq, e.to_state) = (n.noun, n.id, n.version, n.state))
			OR EXISTS (SELECT FROM entity_event e WHERE (e.noun, e.entity_id, e.seq) = (n.noun, n.id, n.version + 1))`},
	{"notes come in time and from who took part", `
		SELECT FROM visit v WHERE note_created_at IS NOT NULL AND (note_created_at < ended_at OR note_created_at > ended_at + interval '168 hours'
			OR NOT EXISTS (SELECT FROM post_holding h WHERE h.org_unit_id = v.note_unit_id AND h.id = v.lead_id))`},
	{"points of visits that are closed out are on issues", `
		SELECT FROM visit v WHERE state = 'CLOSED_OUT' AND NOT EXISTS (SELECT FROM opinion o WHERE o.visit_id = v.id)
		UNION ALL
		SELECT FROM visit v JOIN opinion o ON o.visit_id = v.id WHERE v.state = 'CLOSED_OUT' AND o.kind <> 'THANKS'
			AND NOT EXISTS (SELECT FROM issue_opinion l WHERE l.opinion_id = o.id)`},
	{"only visits that were held are attested", `
		SELECT FROM attestation a JOIN visit v ON v.id = a.visit_id WHERE v.state NOT IN ('HELD', 'RECORDED', 'CLOSED_OUT')`},
	{"policies are talked of on visits that were held, while they hold", `
		SELECT FROM visit_policy_item i JOIN visit v ON v.id = i.visit_id JOIN policy_version p ON p.id = i.policy_version_id
		WHERE v.state NOT IN ('HELD', 'RECORDED', 'CLOSED_OUT') OR day_begins(p.effective_from) > v.ended_at
			OR EXISTS (SELECT FROM entity_event e WHERE (e.noun, e.entity_id, e.to_state) = ('visit', v.id, 'CLOSED_OUT') AND e.at < i.created_at)`},
	{"changes of policy rest on evidence", `
		SELECT FROM policy_change c WHERE NOT EXISTS (SELECT FROM evidence_link l WHERE l.policy_change_id = c.id)`},
	{"outcomes are registered before a change of policy takes effect", `
		SELECT FROM policy_rollout r JOIN policy_change c ON c.id = r.policy_change_id
		WHERE c.pre_registered_at IS NULL OR c.pre_registered_at >= day_begins(r.effective_from)`},
	{"a change of policy takes effect in regions that do not overlap", `
		SELECT FROM policy_rollout r JOIN policy_rollout other ON other.policy_change_id = r.policy_change_id AND other.region_id <> r.region_id
		JOIN region a ON a.id = r.region_id JOIN region b ON b.id = other.region_id WHERE a.path <@ b.path`},
	{"a pilot has a dated rollout", `
		SELECT FROM policy_change c WHERE c.pilot_at IS NOT NULL AND NOT EXISTS (SELECT FROM policy_rollout r WHERE r.policy_change_id = c.id)`},
	{"turns are fulfilled by visits of who has them", `
		SELECT FROM rota_slot s JOIN visit v ON v.id = s.visit_id
		WHERE v.lead_id <> s.post_id OR v.activity_kind <> s.activity_kind OR v.state NOT IN ('HELD', 'RECORDED', 'CLOSED_OUT')`},
	{"nobody has two turns at once", `
		SELECT FROM rota_plan a JOIN rota_slot s ON s.plan_id = a.id
		JOIN rota_plan b ON b.region_id = a.region_id AND b.name = a.name
		JOIN rota_slot other ON other.plan_id = b.id AND other.post_id = s.post_id AND other.id > s.id
		WHERE s.state <> 'SWAPPED' AND other.state <> 'SWAPPED' AND (s.window_from, s.window_to) = (other.window_from, other.window_to)`},
}

// bulkMoves is the rule that what has a life, beside issues, goes by the rows of it.
func bulkMoves() bulkCheck {
	var nouns, moves []string
	for _, m := range []groundwork.Machine{groundwork.VisitMachine(), groundwork.SlotMachine(), groundwork.PolicyMachine(), groundwork.CampaignMachine(), groundwork.TaskMachine()} {
		nouns = append(nouns, "'"+m.Noun+"'")
		for _, r := range m.Rows {
			from := r.From
			if len(from) == 0 {
				from = []string{""}
			}
			for _, f := range from {
				to := cmp.Or(r.To, f) // a step without an end stays where it is
				for _, role := range r.Roles {
					moves = append(moves, fmt.Sprintf("('%s', '%s', '%s', '%s', '%s')", m.Noun, r.Kind, f, to, role))
				}
			}
		}
	}
	return bulkCheck{"what has a life goes by it", fmt.Sprintf(`
		SELECT FROM entity_event e WHERE noun IN (%s) AND (noun, kind, coalesce(from_state, ''), to_state, actor_role) NOT IN (VALUES %s)`,
		strings.Join(nouns, ", "), strings.Join(moves, ", "))}
}
