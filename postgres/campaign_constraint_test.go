package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
)

// refused runs statements that the database must refuse whoever writes, each for its own reason. $1 stands for the id.
func (e *effort) refused(t *testing.T, id any, statements map[string]string) {
	t.Helper()
	for statement, says := range statements {
		err := e.sql(statement, id)
		require.ErrorContains(t, err, says, statement)
	}
}

// What holds for a campaign holds for whoever reaches the database past the program.
func TestTheDatabaseKeepsCampaigns(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	t.Run("a candidate", func(t *testing.T) {
		e.refused(t, e.nominate().ID, map[string]string{
			"UPDATE campaign SET state = 'ACTIVE', started_at = now() WHERE id = $1":                                              "ACTIVE does not follow CANDIDATE",
			"UPDATE campaign SET state = 'EXITED', ended_at = now(), review_at = now(), started_at = now() WHERE id = $1":         "EXITED does not follow CANDIDATE",
			"UPDATE campaign SET state = 'SELECTED' WHERE id = $1":                                                                "selection needs regions",
			"UPDATE campaign SET state = 'DECLINED' WHERE id = $1":                                                                "violates check constraint",
			"UPDATE campaign SET evidence = '{\"cells\": []}' WHERE id = $1":                                                      "violates check constraint",
			"UPDATE campaign SET topic = '' WHERE id = $1":                                                                        "violates check constraint",
			"UPDATE campaign SET origin = 'H1' WHERE id = $1":                                                                     "violates check constraint",
			"INSERT INTO campaign_region SELECT campaign_id, region_id, 'COMPARISON' FROM campaign_region WHERE campaign_id = $1": "campaign_region_pkey",
		})
	})
	t.Run("evidence under another hash", func(t *testing.T) {
		c := e.nominate()
		require.NoError(t, e.sql("INSERT INTO campaign_region SELECT $1, $2, 'COMPARISON'", c.ID, e.other.ID))
		require.NoError(t, e.sql("INSERT INTO campaign_criterion VALUES ($1, 1, 'H1', 'AT_MOST', 2, 90)", c.ID))
		// In this order: once selected, the campaign is frozen.
		for _, try := range []struct{ hash, says string }{{"sha256('{\"cells\": [2]}')", "violates check constraint"}, {"sha256('{\"cells\": [1]}')", ""}} {
			hash, says := try.hash, try.says
			err := e.sql(`UPDATE campaign SET state = 'SELECTED', selected_at = now(), evidence_as_of = now(), period_from = '2026-01-01', period_to = '2026-02-01',
				evidence = '{"cells": [1]}', evidence_sha256 = encode(`+hash+`, 'hex') WHERE id = $1`, c.ID)
			if says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, says)
			}
		}
	})
	t.Run("what it was selected for", func(t *testing.T) {
		c := e.goOn(e.nominate(), e.selection())
		e.refused(t, c.ID, map[string]string{
			"UPDATE campaign SET topic = 'Lamps' WHERE id = $1":            "is frozen",
			"UPDATE campaign SET category_id = NULL WHERE id = $1":         "is frozen",
			"UPDATE campaign SET origin = 'H2' WHERE id = $1":              "is frozen",
			"UPDATE campaign SET selection_rule = 'another' WHERE id = $1": "is frozen",
			"UPDATE campaign SET evidence = evidence || ' ', evidence_sha256 = encode(sha256(convert_to(evidence || ' ', 'UTF8')), 'hex') WHERE id = $1": "is frozen",
			"UPDATE campaign SET evidence_as_of = evidence_as_of - interval '1 day' WHERE id = $1":                                                       "is frozen",
			"UPDATE campaign SET period_from = period_from - 1 WHERE id = $1":                                                                            "is frozen",
			"UPDATE campaign SET selected_at = selected_at + interval '1 day' WHERE id = $1":                                                             "is frozen",
			"UPDATE campaign SET period_to = period_to + 1 WHERE id = $1":                                                                                "its end moves only by an extension",
			"DELETE FROM campaign_region WHERE campaign_id = $1":                                                                                         "are frozen",
			"UPDATE campaign_region SET role = 'TREATED' WHERE campaign_id = $1":                                                                         "are frozen",
			"UPDATE campaign_criterion SET threshold = 9 WHERE campaign_id = $1":                                                                         "are frozen",
			"DELETE FROM campaign_criterion WHERE campaign_id = $1":                                                                                      "are frozen",
			"INSERT INTO campaign_criterion VALUES ($1, 9, 'H1', 'AT_MOST', 2, 90)":                                                                      "are frozen",
			"UPDATE campaign SET state = 'ACTIVE', started_at = now() WHERE id = $1":                                                                     "starts with an open task",
			"INSERT INTO campaign_result VALUES ($1, 1, 1, 0, NULL, NULL, 1, now(), TRUE)":                                                               "is not under review",
			"UPDATE campaign SET state = 'FAILED', ended_at = now() WHERE id = $1":                                                                       "violates check constraint",
			"UPDATE campaign SET state = 'FAILED', ended_at = now(), reviewer_unit_id = lead_unit_id WHERE id = $1":                                      "another unit judges it",
		})
	})
	t.Run("tasks", func(t *testing.T) {
		_, task := e.running()
		e.refused(t, task.ID, map[string]string{
			"UPDATE campaign_task SET state = 'DONE' WHERE id = $1":                                        "violates check constraint",
			"UPDATE campaign_task SET state = 'DONE', done_at = now() WHERE id = $1":                       "violates check constraint",
			"UPDATE campaign_task SET done_at = now() WHERE id = $1":                                       "violates check constraint",
			"UPDATE campaign_task SET owner_post_id = (SELECT id FROM post_holding LIMIT 1) WHERE id = $1": "violates check constraint",
			"UPDATE campaign_task SET owner_unit_id = NULL WHERE id = $1":                                  "violates check constraint",
			"UPDATE campaign_task SET overdue_at = due_at - interval '1 second' WHERE id = $1":             "violates check constraint",
		})
	})
}

func TestTheDatabaseKeepsTheWayOut(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c, task := e.running()
	const review = "UPDATE campaign SET state = 'REVIEW', reviews = 1, review_at = started_at + interval '89 days' WHERE id = $1"
	require.ErrorContains(t, e.sql(review, c.ID), "90 days after its last task", "a task is open")
	_, err := e.takeTask(task, e.lead, groundwork.TaskStepDropped)
	require.NoError(t, err)
	require.ErrorContains(t, e.sql(review, c.ID), "90 days after its last task", "nothing was done")
	_, err = e.takeTask(e.task(c), e.handler, groundwork.TaskCompleted)
	require.NoError(t, err)
	require.ErrorContains(t, e.sql(review, c.ID), "90 days after its last task")

	c = e.underReview()
	e.refused(t, c.ID, map[string]string{
		"UPDATE campaign SET state = 'EXITED', ended_at = now(), reviewer_unit_id = (SELECT id FROM org_unit WHERE name = 'Call centre') WHERE id = $1": "each exit criterion is measured",
		"UPDATE campaign SET state = 'FAILED', ended_at = now(), reviewer_unit_id = (SELECT id FROM org_unit WHERE name = 'Call centre') WHERE id = $1": "each exit criterion is measured",
		"INSERT INTO campaign_result VALUES ($1, 2, 1, 0, NULL, NULL, 1, now(), TRUE)":                                                                  "is not under review 2",
		"INSERT INTO campaign_result VALUES ($1, 1, 3, 0, NULL, NULL, 1, now(), TRUE)":                                                                  "violates",
		"INSERT INTO campaign_result VALUES ($1, 1, 1, 0, 0.1, 1, 1, now(), TRUE)":                                                                      "violates check constraint",
		"INSERT INTO campaign_result VALUES ($1, 1, 1, 0, NULL, 1, 1, now(), TRUE)":                                                                     "violates check constraint",
	})
	require.NoError(t, e.sql("INSERT INTO campaign_result VALUES ($1, 1, 1, 99, NULL, NULL, 1, now(), TRUE), ($1, 1, 2, 0.9, NULL, NULL, 1, now(), TRUE)", c.ID))
	e.refused(t, c.ID, map[string]string{
		"UPDATE campaign SET state = 'EXITED', ended_at = now(), reviewer_unit_id = (SELECT id FROM org_unit WHERE name = 'Call centre') WHERE id = $1":  "and met for an exit",
		"UPDATE campaign SET state = 'FAILED', ended_at = now(), reviewer_unit_id = (SELECT id FROM org_unit WHERE name = 'Road section') WHERE id = $1": "another unit judges it",
		"UPDATE campaign_result SET value = 1 WHERE campaign_id = $1":                                                                                    "append-only",
		"DELETE FROM campaign_result WHERE campaign_id = $1":                                                                                             "append-only",
	})
	require.NoError(t, e.sql("UPDATE campaign SET state = 'FAILED', ended_at = now(), reviewer_unit_id = (SELECT id FROM org_unit WHERE name = 'Call centre') WHERE id = $1", c.ID))
}

func TestTheDatabaseKeepsPolicies(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	p := e.policy()
	require.ErrorContains(t, e.sql(`INSERT INTO policy_change (id, policy_id, owner_unit_id, summary, state, version, proposed_at)
		VALUES (gen_random_uuid(), $1, $2, 's', 'PROPOSED', 1, now())`, p.ID, e.unit.ID), "rests on evidence")
	t.Run("texts in effect", func(t *testing.T) {
		e.refused(t, p.ID, map[string]string{
			"UPDATE policy_version SET text = 'x' WHERE policy_id = $1":                                                                "never changes",
			"UPDATE policy_version SET effective_from = '2020-01-02' WHERE policy_id = $1":                                             "never changes",
			"UPDATE policy_version SET n = 7 WHERE policy_id = $1":                                                                     "stays in its place",
			"DELETE FROM policy_version WHERE policy_id = $1":                                                                          "never changes",
			"INSERT INTO policy_version (id, policy_id, n, text, effective_from) VALUES (gen_random_uuid(), $1, 2, 'x', '2020-01-01')": "policy_version_day",
			"INSERT INTO policy_version (id, policy_id, n, text, effective_from) VALUES (gen_random_uuid(), $1, 2, 'x', '2019-12-31')": "does not begin between",
		})
		require.NoError(t, e.sql("UPDATE policy_version SET repealed_from = '2021-01-01' WHERE policy_id = $1", p.ID))
		require.ErrorContains(t, e.sql("UPDATE policy_version SET repealed_from = NULL WHERE policy_id = $1", p.ID), "never changes")
	})
	t.Run("evidence", func(t *testing.T) {
		c := e.propose(p)
		e.refused(t, c.ID, map[string]string{
			"DELETE FROM evidence_link WHERE policy_change_id = $1":                                                                                                                                           "not taken back",
			"UPDATE evidence_link SET evidence_at = now() WHERE policy_change_id = $1":                                                                                                                        "append-only",
			"INSERT INTO evidence_link (id, policy_change_id, evidence_at, linked_at) VALUES (gen_random_uuid(), $1, now(), now())":                                                                           "evidence_link_one_target",
			"INSERT INTO evidence_link (id, policy_change_id, issue_id, campaign_id, evidence_at, linked_at) SELECT gen_random_uuid(), $1, (SELECT id FROM issue LIMIT 1), gen_random_uuid(), now(), now()":   "evidence_link_one_target",
			"INSERT INTO evidence_link (id, policy_change_id, issue_id, evidence_at, linked_at) SELECT gen_random_uuid(), $1, (SELECT issue_id FROM evidence_link WHERE policy_change_id = $1), now(), now()": "evidence_link_issue",
		})
	})
	t.Run("the outcome comes before the pilot", func(t *testing.T) {
		c := e.changes(e.propose(p), groundwork.PolicyConsulted)
		e.refused(t, c.ID, map[string]string{
			"INSERT INTO policy_rollout SELECT $1, id, '2100-01-01' FROM region LIMIT 1": "registered before it takes effect",
			"UPDATE policy_change SET state = 'PILOT', pilot_at = now() WHERE id = $1":   "a pilot has a dated rollout",
			"UPDATE policy_change SET state = 'ADOPTED' WHERE id = $1":                   "ADOPTED does not follow CONSULTED",
			"UPDATE policy_change SET outcome_measure = 'H1' WHERE id = $1":              "violates check constraint",
			"UPDATE policy_change SET proposed_at = now() WHERE id = $1":                 "stay what they were",
		})
		c = e.changes(c, groundwork.PolicyRegistered)
		require.ErrorContains(t, e.sql("INSERT INTO policy_rollout SELECT $1, id, '2026-03-02' FROM region LIMIT 1", c.ID), "registered before it takes effect")
		c = e.changes(c, groundwork.PolicyPiloted)
		e.refused(t, c.ID, map[string]string{
			"UPDATE policy_change SET outcome_measure = 'H2' WHERE id = $1":                                                                                    "then frozen",
			"UPDATE policy_change SET pre_registered_at = pre_registered_at - interval '1 day' WHERE id = $1":                                                  "then frozen",
			"UPDATE policy_change SET minimal_effect = 0 WHERE id = $1":                                                                                        "then frozen",
			"UPDATE policy_rollout SET effective_from = '2026-01-01' WHERE policy_change_id = $1":                                                              "append-only",
			"DELETE FROM policy_rollout WHERE policy_change_id = $1":                                                                                           "append-only",
			"INSERT INTO policy_rollout SELECT $1, id, '2100-01-01' FROM region WHERE level = 'PROVINCE'":                                                      "overlapping region",
			"UPDATE policy_change SET state = 'ADOPTED', adopted_at = '2026-03-02', policy_version_id = (SELECT id FROM policy_version LIMIT 1) WHERE id = $1": "after its pilot has begun",
		})
	})
	t.Run("who evaluates", func(t *testing.T) {
		c := e.changes(e.propose(p), groundwork.PolicyConsulted, groundwork.PolicyRegistered, groundwork.PolicyPiloted)
		const evaluate = `INSERT INTO policy_evaluation (policy_change_id, evaluator_unit_id, estimate, ci_low, ci_high, treated_regions, control_regions, as_of, text)
			SELECT $1, id, 0, -1, 1, 8, 8, %s, 't' FROM org_unit WHERE name = '%s'`
		at := func(when, unit string) string { return fmt.Sprintf(evaluate, when, unit) }
		require.ErrorContains(t, e.sql(at("'2030-01-01'", "Call centre"), c.ID), "stands at PILOT")
		c = e.changes(c, groundwork.PolicyAdopted)
		e.refused(t, c.ID, map[string]string{
			at("'2030-01-01'", "Road bureau"):                                                      "another unit evaluates it",
			at("'2030-01-01'", "Road section"):                                                     "another unit evaluates it",
			at("'2026-03-20'", "Call centre"):                                                      "is not over",
			"UPDATE policy_change SET state = 'EVALUATED', evaluated_at = now() WHERE id = $1":     "has no evaluation",
			"INSERT INTO policy_rollout SELECT $1, id, '2026-03-02' FROM region WHERE name = 'B市'": "registered before it takes effect",
		})
		c = e.changes(c, groundwork.PolicyEvaluated)
		e.refused(t, c.ID, map[string]string{
			"UPDATE policy_evaluation SET estimate = 0.5 WHERE policy_change_id = $1":              "append-only",
			"DELETE FROM policy_evaluation WHERE policy_change_id = $1":                            "append-only",
			"UPDATE policy_change SET state = 'RETAINED' WHERE id = $1":                            "violates check constraint",
			"UPDATE policy_change SET state = 'DROPPED', ended_at = now() WHERE id = $1":           "DROPPED does not follow EVALUATED",
			"INSERT INTO policy_rollout SELECT $1, id, '2100-01-01' FROM region WHERE name = 'B市'": "stands at EVALUATED",
		})
	})
}

// Whoever may not see the criteria of a campaign cannot therefore pass them over.
func TestRulesSeeWhatTheWriterDoesNot(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c := e.underReview()
	conn, err := pgx.Connect(t.Context(), e.dsn)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(context.WithoutCancel(t.Context()))) }() // the role goes with it
	for _, statement := range []string{
		"CREATE ROLE blind_" + strings.ReplaceAll(c.ID.String(), "-", ""),
		"GRANT ALL ON ALL TABLES IN SCHEMA public TO blind_" + strings.ReplaceAll(c.ID.String(), "-", ""),
		"CREATE POLICY blind ON campaign TO blind_" + strings.ReplaceAll(c.ID.String(), "-", "") + " USING (true)", // and none on its criteria
		"SET LOCAL ROLE blind_" + strings.ReplaceAll(c.ID.String(), "-", ""),
	} {
		_, err = tx.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	var seen int
	require.NoError(t, tx.QueryRow(t.Context(), "SELECT count(*) FROM campaign_criterion").Scan(&seen))
	require.Zero(t, seen)
	_, err = tx.Exec(t.Context(), "UPDATE campaign SET state = 'EXITED', ended_at = now(), reviewer_unit_id = $2 WHERE id = $1", c.ID, e.callers.ID)
	require.ErrorContains(t, err, "each exit criterion is measured")
}
