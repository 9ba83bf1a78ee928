package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
)

func TestPoliciesThatWereTalkedOf(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	version := func(from string) uuid.UUID {
		policy, id := uuid.New(), uuid.New()
		require.NoError(t, r.sql("INSERT INTO policy (id, title, owner_unit_id) VALUES ($1, 'Roofs', $2)", policy, r.post.OrgUnitID))
		require.NoError(t, r.sql("INSERT INTO policy_version (id, policy_id, n, text, effective_from) VALUES ($1, $2, 1, 'x', $3::text::date)", id, policy, from))
		return id
	}
	inForce, toCome := version("2026-01-01"), version("2026-12-01")
	note := func(by groundwork.Actor, v *groundwork.Visit, version uuid.UUID, asked, answered int) error {
		_, _, err := r.RecordPolicyItem(ctx, by, groundwork.VisitPolicyItem{VisitID: v.ID, PolicyVersionID: version, QuestionsAsked: asked, Answered: answered})
		return err
	}
	planned, v := r.plan(), r.held()
	for name, c := range map[string]struct {
		err  error
		code groundwork.Code
	}{
		"before it was held":          {note(r.leader, planned, inForce, 1, 1), groundwork.CodeTransition},
		"of another's visit":          {note(r.colleague, v, inForce, 1, 1), groundwork.CodeForbidden},
		"by a supervisor":             {note(r.inspector, v, inForce, 1, 1), groundwork.CodeForbidden},
		"more answers than asked":     {note(r.leader, v, inForce, 1, 2), groundwork.CodeInvalid},
		"a version to come":           {note(r.leader, v, toCome, 1, 1), groundwork.CodeInvalid},
		"a version that there is not": {note(r.leader, v, uuid.New(), 1, 1), groundwork.CodeInvalid},
	} {
		require.Equal(t, c.code, groundwork.CodeOf(c.err), "%s: %v", name, c.err)
	}
	require.NoError(t, note(r.leader, v, inForce, 3, 2))
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(note(r.intake, v, inForce, 1, 1)), "noted already")
	of, err := r.PolicyItemsOf(ctx, []uuid.UUID{v.ID})
	require.NoError(t, err)
	require.Equal(t, 3, of[v.ID][0].QuestionsAsked)
	add := func(visit, version uuid.UUID) error {
		return r.sql("INSERT INTO visit_policy_item (id, visit_id, policy_version_id, questions_asked, answered) VALUES (gen_random_uuid(), $1, $2, 1, 1)", visit, version)
	}
	require.ErrorContains(t, add(planned.ID, inForce), "was held")
	require.ErrorContains(t, add(v.ID, toCome), "in effect")
	require.ErrorContains(t, r.sql("DELETE FROM visit_policy_item"), "append-only")
}

// The rules of visits hold for whoever writes in the role of the API by direct SQL.
func TestTheDatabaseHoldsVisits(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	conn := connectAs(t, r.dsn, postgres.RoleApp)
	as := func(who groundwork.Actor, sql string, args ...any) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			require.NoError(t, postgres.Identify(ctx, tx, who, "test"))
			_, err := tx.Exec(ctx, sql, args...)
			return err
		})
	}
	app := func(sql string, args ...any) error { return as(groundwork.System, sql, args...) } // reaches every row
	told := func(kind string, by groundwork.Actor) string {
		return fmt.Sprintf(`WITH told AS (INSERT INTO entity_event (noun, entity_id, seq, kind, from_state, to_state, at, actor, actor_role)
			SELECT 'visit', id, version + 1, '%[1]s', state, '%[1]s', now(), '%[2]s', '%[3]s' FROM visit WHERE id = $1) `, kind, by.ID, by.Role)
	}
	v := r.held()
	const note = "UPDATE visit SET state = 'RECORDED', version = version + 1, note_text = 'x', note_unit_id = $2, note_created_at = ended_at + $3::text::interval WHERE id = $1"
	require.ErrorContains(t, app(note, v.ID, r.post.OrgUnitID, "169 hours"), "within 7 days")
	require.ErrorContains(t, app(note, v.ID, r.post.OrgUnitID, "-1 hour"), "within 7 days")
	require.ErrorContains(t, app(note, v.ID, r.unit.ID, "1 hour"), "unit that took part")
	require.ErrorContains(t, app("UPDATE visit SET note_text = 'x' WHERE id = $1", v.ID), "written once")
	require.ErrorContains(t, app(note, v.ID, r.post.OrgUnitID, "168 hours"), "as its history says")
	require.NoError(t, app(told("RECORDED", groundwork.System)+note, v.ID, r.post.OrgUnitID, "168 hours"))
	require.ErrorContains(t, app("UPDATE visit SET note_text = 'y' WHERE id = $1", v.ID), "written once")
	require.ErrorContains(t, app("INSERT INTO visit SELECT gen_random_uuid(), activity_kind, notice, site_id, lead_id, started_at, ended_at, citizens_met, note_text, note_unit_id, note_created_at, state FROM visit WHERE id = $1", v.ID),
		"without its note", "no late note by way of a new visit")

	const closeOut = "UPDATE visit SET state = 'CLOSED_OUT', version = version + 1 WHERE id = $1"
	require.ErrorContains(t, app(closeOut, v.ID), "nobody attests")
	said, _, err := r.SubmitOpinion(ctx, r.intake, groundwork.Opinion{Channel: groundwork.ChannelVisit, Kind: groundwork.Help, Text: "Fix the roof.", VisitID: &v.ID})
	require.NoError(t, err)
	require.ErrorContains(t, app(closeOut, v.ID), "on no issue")
	_, _, err = r.RegisterIssue(ctx, groundwork.Registration{Actor: r.intake, OpinionIDs: []uuid.UUID{said.ID}})
	require.NoError(t, err)
	require.NoError(t, as(r.leader, told("CLOSED_OUT", r.leader)+closeOut, v.ID))

	quiet := r.held()
	const attest = "INSERT INTO attestation (id, visit_id, voice, says, at, official_id) VALUES (gen_random_uuid(), $1, 'HOST', 'UNSURE', now(), $2)"
	require.ErrorContains(t, app(attest, quiet.ID, r.leader.OfficialID), "took part")
	hides := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		who := groundwork.System
		who.OfficialID = r.leader.OfficialID
		require.NoError(t, postgres.Identify(ctx, tx, who, "test"))
		_, err := tx.Exec(ctx, attest, quiet.ID, nil)
		return err
	})
	require.ErrorContains(t, hides, "to be named")
	mayNot := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		require.NoError(t, postgres.Identify(ctx, tx, r.colleague, "test"))
		_, err := tx.Exec(ctx, attest, quiet.ID, nil)
		return err
	})
	require.ErrorContains(t, mayNot, "row-level security", "the rows answer first: attestations are not for leaders")
	require.NoError(t, app(attest, quiet.ID, r.colleague.OfficialID))
	require.ErrorContains(t, app("INSERT INTO visit_participant (visit_id, post_id) VALUES ($1, $2)", quiet.ID, r.other.ID), "took down")
	require.ErrorContains(t, app("DELETE FROM attestation"), "permission denied")
	require.ErrorContains(t, r.sql("DELETE FROM attestation"), "append-only", "not even the owner")
	require.ErrorContains(t, r.sql("UPDATE attestation SET says = 'NOT_HELD'"), "append-only")
}

// One visit in ten is drawn for the back-check, and whoever writes visits neither chooses the lot nor changes it.
func TestLotsAreDrawnByTheDatabase(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	v := r.held()
	conn := connectAs(t, r.dsn, postgres.RoleApp)
	app := func(sql string) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			require.NoError(t, postgres.Identify(ctx, tx, groundwork.System, "test"))
			_, err := tx.Exec(ctx, sql, v.ID)
			return err
		})
	}
	const columns = "id, activity_kind, notice, site_id, lead_id, started_at, ended_at, state"
	enter := func(columns, values string) error {
		return app("WITH entered AS (INSERT INTO visit (" + columns + ") SELECT gen_random_uuid(), activity_kind, notice, site_id, lead_id, started_at, ended_at, " + values + " FROM visit, generate_series(1, 2000) WHERE id = $1 RETURNING id)" +
			" INSERT INTO entity_event (noun, entity_id, seq, kind, to_state, at, actor, actor_role) SELECT 'visit', id, 1, 'ENTERED', 'HELD', now(), 'system', 'SYSTEM' FROM entered")
	}
	require.NoError(t, enter(columns, "state"))
	var drawn, all float64
	require.NoError(t, conn.QueryRow(ctx, "SELECT count(*) FILTER (WHERE drawn), count(*) FROM visit").Scan(&drawn, &all))
	require.InDelta(t, 0.1, drawn/all, 0.04, "six standard deviations")
	for _, sql := range []string{"UPDATE visit SET drawn = false WHERE id = $1", "UPDATE visit SET drawn = NULL WHERE id = $1"} {
		require.ErrorContains(t, app(sql), "permission denied")
	}
	require.ErrorContains(t, enter(columns+", drawn", "state, false"), "permission denied")
}

// A rota that is published again makes no second turn for who has one now.
func TestARotaPublishedAgain(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	first := r.rota(groundwork.Monthly)
	again := r.rota(groundwork.Monthly)
	march := func(p *groundwork.RotaPlan) (n int) {
		for _, s := range r.slots(groundwork.RotaSlotFilter{PlanIDs: []uuid.UUID{p.ID}}) {
			if s.WindowFrom.Month() == time.March && s.State != groundwork.SlotSwapped {
				n++
			}
		}
		return n
	}
	require.Equal(t, 2, march(first), "the turns that are running stay")
	require.Zero(t, march(again))
	require.Len(t, r.slots(groundwork.RotaSlotFilter{PlanIDs: []uuid.UUID{again.ID}}), 10, "two posts, five months that have not begun")
	require.Len(t, r.slots(groundwork.RotaSlotFilter{States: []groundwork.SlotState{groundwork.SlotOpen}}), 12)

	r.clock.advance(35 * 24 * time.Hour) // 6 April: March is over, April runs
	third := r.rota(groundwork.Quarterly)
	require.Len(t, r.slots(groundwork.RotaSlotFilter{PlanIDs: []uuid.UUID{third.ID}}), 2, "the quarter that has begun is skipped, the other is not")
	require.ErrorContains(t, r.sql(`INSERT INTO rota_slot (id, plan_id, post_id, activity_kind, region_id, window_from, window_to, state, version)
		SELECT gen_random_uuid(), '`+third.ID.String()+`', post_id, activity_kind, region_id, window_to - 3, window_to + 20, 'OPEN', 1 FROM rota_slot WHERE state = 'OPEN' AND window_from = '2026-04-01' LIMIT 1`),
		"has a turn of this rota", "the database holds it too")
}
