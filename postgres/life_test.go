package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
)

// unit is the unit for which the one who asks acts.
const unit = "nullif(current_setting('groundwork.unit', true), '')::uuid"

// Whatever the API's role is made to write, no issue takes a step that its life does not have, nor one that nothing stands behind.
func TestNobodyGoesRoundTheLifeOfAnIssue(t *testing.T) {
	t.Parallel()
	dsn, run, _ := newWorld(t)
	// An issue that a unit claimed, and one that was registered.
	run("SET session_replication_role = replica")
	run(fill(`INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, origin_at, claimed_at)
			SELECT id, 2, 'CLAIMED', 'REGISTERED', 'CLAIMED', now(), now(), 'x', 'INTAKE', origin_at, now() FROM issue WHERE id = {issue};
		UPDATE issue_event SET origin_at = (SELECT origin_at FROM issue WHERE id = {issue}) WHERE issue_id = {issue};
		UPDATE claim SET claimed_at = now() - interval '1 hour', kind = 'EXPLAINED' WHERE id = {claim};
		DELETE FROM feedback WHERE claim_id = {claim};
		UPDATE issue SET seq = 2, state = 'CLAIMED', claimed_at = (SELECT claimed_at FROM issue_event WHERE issue_id = {issue} AND seq = 2) WHERE id = {issue};
		INSERT INTO issue_event (issue_id, seq, kind, to_state, at, known_at, actor, actor_role, origin_at)
			SELECT id, 1, 'REGISTERED', 'REGISTERED', now(), now(), 'x', 'INTAKE', origin_at FROM issue WHERE id IN ({newissue}, {secretissue});
		UPDATE issue SET seq = 2, state = 'DISPATCHED', lead_unit_id = {judge}, return_count = 2 WHERE id = {secretissue};
		INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, origin_at, lead_unit_id, return_count)
			SELECT id, 2, 'DISPATCHED', 'REGISTERED', 'DISPATCHED', now(), now(), 'x', 'DISPATCHER', origin_at, {judge}, 2 FROM issue WHERE id = {secretissue};
		INSERT INTO dispatch_leg (issue_id, n, unit_id, role, sent_at) VALUES ({secretissue}, 1, {judge}, 'LEAD', now()), ({secretissue}, 2, {unit}, 'CO', now())`, "A", "", ""))
	run("RESET session_replication_role")
	event := func(issue, seq, kind, from, to, role, closure string) string {
		return `INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, actor_unit_id, origin_at, claimed_at, closed_at, resolved_at, closure_type, lead_unit_id, return_count)
			SELECT id, ` + seq + `, '` + kind + `', '` + from + `', '` + to + `', now(), now(), '[actor]', '` + role + `', ` + unit + `, origin_at, claimed_at, CASE '` + to + `' WHEN 'CLOSED' THEN now() END,
				CASE '` + closure + `' WHEN 'CONFIRMED' THEN claimed_at END, nullif('` + closure + `', ''), lead_unit_id, return_count FROM issue WHERE id = ` + issue + `;
			UPDATE issue i SET seq = e.seq, state = e.to_state, closure_type = e.closure_type, closed_at = e.closed_at, resolved_at = e.resolved_at
			FROM issue_event e WHERE i.id = ` + issue + ` AND e.issue_id = i.id AND e.seq = ` + seq + `;
			`
	}
	const (
		noStep  = "issue_event: no step"
		nothing = "stands on no claim, verdict, call or review"
		history = "does not stand as its history says"
		verdict = "INSERT INTO feedback (id, claim_id, issue_id, resolved, collected_by, collected_unit_id, at) VALUES (gen_random_uuid(), {claim}, {issue}, 'YES', 'INDEPENDENT', {judge}, now());\n"
		calls   = "INSERT INTO callback_attempt (id, claim_id, at, method, agent_unit_id, outcome) SELECT gen_random_uuid(), {claim}, now(), 'PHONE', {judge}, 'NO_ANSWER' FROM generate_series(1, 3);\n"
		review  = "UPDATE claim SET reviewed_by = '[actor]' WHERE id = {claim};\n"
	)
	for name, c := range map[string]struct {
		role groundwork.Role
		sql  string
		rule string // that refuses it; "" = it may
	}{
		"closed without an event":        {groundwork.RoleHandler, "UPDATE issue SET state = 'CLOSED', closure_type = 'EXPLAINED', closed_at = now() WHERE id = {issue}", history},
		"older than its history":         {groundwork.RoleHandler, "UPDATE issue SET origin_at = now() WHERE id = {issue}", history},
		"due later":                      {groundwork.RoleHandler, "UPDATE issue SET due_at = now() + interval '1 year' WHERE id = {issue}", "moves with an event alone"},
		"of another region":              {groundwork.RoleHandler, "UPDATE issue SET region_id = NULL WHERE id = {issue}", "permission denied"},
		"registered without an event":    {groundwork.RoleIntake, "INSERT INTO issue (id, public_ref, kind, channel, title, region_id, seq, state, origin_at, recorded_by) VALUES (gen_random_uuid(), 'x', 'HELP', 'APP', 'x', {region}, 1, 'REGISTERED', now(), '[own]')", history},
		"confirmed by a handler":         {groundwork.RoleHandler, event("{issue}", "3", "CONFIRMED", "CLAIMED", "CLOSED", "HANDLER", "CONFIRMED"), noStep},
		"confirmed as something else":    {groundwork.RoleCaller, verdict + event("{issue}", "3", "CONFIRMED", "CLAIMED", "CLOSED", "CALLER", "EXPLAINED"), noStep},
		"disputed before any claim":      {groundwork.RoleCaller, event("{newissue}", "2", "DISPUTED", "REGISTERED", "IN_PROGRESS", "CALLER", ""), noStep},
		"confirmed by nobody":            {groundwork.RoleCaller, event("{issue}", "3", "CONFIRMED", "CLAIMED", "CLOSED", "CALLER", "CONFIRMED"), nothing},
		"confirmed":                      {groundwork.RoleCaller, verdict + event("{issue}", "3", "CONFIRMED", "CLAIMED", "CLOSED", "CALLER", "CONFIRMED"), ""},
		"disputed by who said yes":       {groundwork.RoleCaller, verdict + event("{issue}", "3", "DISPUTED", "CLAIMED", "IN_PROGRESS", "CALLER", ""), nothing},
		"claimed without a claim":        {groundwork.RoleIntake, event("{newissue}", "2", "CLAIMED", "REGISTERED", "CLAIMED", "INTAKE", ""), nothing},
		"explained without a review":     {groundwork.RoleSupervisor, event("{issue}", "3", "CLOSED", "CLAIMED", "CLOSED", "SUPERVISOR", "EXPLAINED"), nothing},
		"explained":                      {groundwork.RoleSupervisor, review + event("{issue}", "3", "CLOSED", "CLAIMED", "CLOSED", "SUPERVISOR", "EXPLAINED"), ""},
		"referred out, which was not it": {groundwork.RoleSupervisor, review + event("{issue}", "3", "CLOSED", "CLAIMED", "CLOSED", "SUPERVISOR", "REFERRED_OUT"), nothing},
		"given up without calls":         {groundwork.RoleSystem, event("{issue}", "3", "CLOSED", "CLAIMED", "CLOSED", "SYSTEM", "UNCONFIRMED"), nothing},
		"given up":                       {groundwork.RoleSystem, calls + event("{issue}", "3", "CLOSED", "CLAIMED", "CLOSED", "SYSTEM", "UNCONFIRMED"), ""},
		"confirmed in another's role":    {groundwork.RoleHandler, verdict + event("{issue}", "3", "CONFIRMED", "CLAIMED", "CLOSED", "CALLER", "CONFIRMED"), "row-level security"},
		"a step that was not taken":      {groundwork.RoleIntake, "INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, origin_at) SELECT id, 2, 'RESPONDED', 'REGISTERED', 'REGISTERED', now(), now(), '[actor]', 'INTAKE', origin_at FROM issue WHERE id = {newissue}", "did not take its step 2"},
		"answered by a unit beside it":   {groundwork.RoleHandler, event("{secretissue}", "3", "RESPONDED", "DISPATCHED", "DISPATCHED", "HANDLER", ""), ""},
		"accepted by a unit beside it":   {groundwork.RoleHandler, event("{secretissue}", "3", "ACCEPTED", "DISPATCHED", "IN_PROGRESS", "HANDLER", ""), "is not theirs"},
		"for another unit":               {groundwork.RoleHandler, strings.Replace(event("{secretissue}", "3", "ACCEPTED", "DISPATCHED", "IN_PROGRESS", "HANDLER", ""), unit, "{judge}", 1), "row-level security"},
		"withdrawn by its office":        {groundwork.RoleHandler, event("{issue}", "3", "WITHDRAWN", "CLAIMED", "CLOSED", "HANDLER", "WITHDRAWN"), noStep},
		"an event that is not followed":  {groundwork.RoleIntake, "INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, origin_at) SELECT id, 2, 'RESPONDED', 'REGISTERED', 'REGISTERED', now(), now(), '[actor]', 'INTAKE', origin_at FROM issue WHERE id = {newissue};\nUPDATE issue SET seq = 2, opinion_count = 7 WHERE id = {newissue}", history},
	} {
		t.Run(name, func(t *testing.T) { heldBy(t, connectAs(t, dsn, postgres.RoleApp), c.role, c.sql, c.rule) })
	}
}

// Nor does a visit, a slot, or any other noun.
func TestNobodyGoesRoundTheLifeOfANoun(t *testing.T) {
	t.Parallel()
	dsn, run, _ := newWorld(t)
	run("SET session_replication_role = replica")
	run(fill(`UPDATE entity_event SET kind = 'ENTERED', to_state = 'HELD' WHERE entity_id = {visit};
		UPDATE entity_event SET kind = 'MADE', to_state = 'OPEN' WHERE entity_id = {slot};
		INSERT INTO entity_event (noun, entity_id, seq, kind, to_state, at, actor, actor_role) VALUES ('discussion', {discussion}, 1, 'OPENED', 'OPEN', now(), 'x', 'INTAKE'), ('campaign', {campaign}, 1, 'NOMINATED', 'CANDIDATE', now(), 'x', 'LEADER')`, "A", "", ""))
	run("RESET session_replication_role")
	event := func(noun, id, kind, from, to, role string) string {
		return "INSERT INTO entity_event (noun, entity_id, seq, kind, from_state, to_state, at, actor, actor_role, actor_unit_id) VALUES ('" + noun + "', " + id + ", 2, '" + kind + "', '" + from + "', '" + to + "', now(), '[actor]', '" + role + "', " + unit + ");\n"
	}
	const (
		noStep   = "entity_event: no step"
		history  = "does not stand as its history says"
		excused  = "UPDATE rota_slot SET state = 'EXCUSED', version = 2 WHERE id = {slot}"
		declined = "UPDATE campaign SET state = 'DECLINED', ended_at = now(), version = 2 WHERE id = {campaign}"
	)
	for name, c := range map[string]struct {
		role groundwork.Role
		sql  string
		rule string
	}{
		"excused without an event":            {groundwork.RoleSupervisor, excused, history},
		"excused by who was to come":          {groundwork.RoleLeader, event("rota_slot", "{slot}", "EXCUSED", "OPEN", "EXCUSED", "LEADER") + excused, noStep},
		"excused":                             {groundwork.RoleSupervisor, event("rota_slot", "{slot}", "EXCUSED", "OPEN", "EXCUSED", "SUPERVISOR") + excused, ""},
		"excused, and the slot knows nothing": {groundwork.RoleSupervisor, event("rota_slot", "{slot}", "EXCUSED", "OPEN", "EXCUSED", "SUPERVISOR"), "rota_slot"},
		"void in another's role":              {groundwork.RoleLeader, event("visit", "{visit}", "VOID", "HELD", "VOID", "SUPERVISOR") + "UPDATE visit SET state = 'VOID', version = 2 WHERE id = {visit}", "row-level security"},
		"void":                                {groundwork.RoleSupervisor, event("visit", "{visit}", "VOID", "HELD", "VOID", "SUPERVISOR") + "UPDATE visit SET state = 'VOID', version = 2 WHERE id = {visit}", ""},
		"one version on, by nothing":          {groundwork.RoleLeader, "UPDATE visit SET version = 2 WHERE id = {visit}", history},
		"declined by the wrong step":          {groundwork.RoleCampaignLead, event("campaign", "{campaign}", "SELECTED", "CANDIDATE", "DECLINED", "CAMPAIGN_LEAD") + declined, noStep},
		"declined":                            {groundwork.RoleCampaignLead, event("campaign", "{campaign}", "DECLINED", "CANDIDATE", "DECLINED", "CAMPAIGN_LEAD") + declined, ""},
		"a discussion from nowhere":           {groundwork.RoleIntake, "INSERT INTO discussion (id, region_id, topic, state, opened_at, version, recorded_by) VALUES (gen_random_uuid(), {region}, 'x', 'OPEN', now(), 1, '[actor]')", history},
		"an event of what has no life":        {groundwork.RoleIntake, event("site", "{site}", "MOVED", "HERE", "THERE", "INTAKE"), "entity_event"},
	} {
		t.Run(name, func(t *testing.T) { heldBy(t, connectAs(t, dsn, postgres.RoleApp), c.role, c.sql, c.rule) })
	}
}

// heldBy runs the statements as the role, whose rules are looked at in the end: the rule of that name refuses them, or none does.
func heldBy(t *testing.T, conn *pgx.Conn, role groundwork.Role, sql, rule string) {
	t.Helper()
	a := asker{t, conn, identityOf(role)}
	a.in(func(tx pgx.Tx) {
		err := func() error {
			for statement := range strings.SplitSeq(fill(sql, "A", a.actor.ID, string(role))+";\nSET CONSTRAINTS ALL IMMEDIATE", ";\n") {
				if _, err := tx.Exec(t.Context(), statement); err != nil {
					return err
				}
			}
			return nil
		}()
		if rule == "" {
			require.NoError(t, err)
			return
		}
		pg := new(pgconn.PgError)
		require.ErrorAs(t, err, &pg, sql)
		require.Contains(t, pg.Message, rule)
	})
}
