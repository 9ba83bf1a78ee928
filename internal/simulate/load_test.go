package simulate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/internal/app"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/internal/simulate"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// loaded is few enough issues for the smallest province: all that a load does it does for these, too.
const loaded = 450

// province simulates a little more than a year.
func province() simulate.Config {
	return simulate.Config{Issues: loaded, Seed: 12, From: simulate.Day(2024, time.December, 1), To: simulate.Day(2026, time.January, 1),
		Calendar: groundwork.Calendar{"2025-02-12": false, "2025-02-16": true}}
}

func job(t *testing.T, dsn string) app.SimulateJob {
	return app.SimulateJob{Config: app.Config{Postgres: dsn}, Simulation: province(), Truth: filepath.Join(t.TempDir(), "truth.json"),
		Workers: 2, Quiet: true, Out: io.Discard, ErrOut: io.Discard}
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func value[T any](t *testing.T, conn *pgx.Conn, sql string) (v T) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&v))
	return v
}

// tables are those of a load, with the order of their rows.
var tables = map[string]string{"region": "id", "site": "id", "org_unit": "id", "dispatch_rule": "id", "post_holding": "id", "visit": "id", "rota_plan": "id", "rota_slot": "id",
	"entity_event": "noun, entity_id, seq", "visit_participant": "visit_id, post_id", "attestation": "id", "policy": "id", "policy_version": "id", "visit_policy_item": "id", "policy_change": "id", "evidence_link": "id", "policy_rollout": "policy_change_id, region_id",
	"campaign": "id", "campaign_region": "campaign_id, region_id", "campaign_criterion": "campaign_id, n", "campaign_result": "campaign_id, review, n", "campaign_task": "id", "campaign_issue": "id",
	"opinion": "id",
	"issue":   "id", "issue_opinion": "opinion_id", "issue_event": "issue_id, seq", "claim": "id", "callback_attempt": "id", "feedback": "id"}

// contents sums up each table, but for when its rows were written where that is not part of the load.
func contents(t *testing.T, dsn string) map[string]string {
	t.Helper()
	conn := connect(t, dsn)
	sums := map[string]string{}
	for table, order := range tables {
		row := "to_jsonb(x)"
		switch table {
		case "region", "site", "org_unit", "dispatch_rule", "post_holding", "issue_opinion", "policy_rollout":
			row = "to_jsonb(x) - 'created_at'"
		case "issue_event":
			row = "to_jsonb(x) - 'txid'" // of what is loaded past the rules nobody is told
		}
		sums[table] = value[string](t, conn, fmt.Sprintf("SELECT count(*) || ' ' || md5(string_agg(md5((%s)::text), '' ORDER BY %s)) FROM %s x", row, order, table))
	}
	return sums
}

func indexes(t *testing.T, dsn string) string {
	t.Helper()
	return value[string](t, connect(t, dsn), "SELECT string_agg(indexdef, chr(10) ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public'")
}

// One worker or several, at once or killed and taken up again, past the triggers or under all rules row by row: it is the same
// province, its rebuilt state is the stored one, and the indexes are back.
func TestTheSameProvinceHoweverItIsLoaded(t *testing.T) {
	t.Parallel()
	atOnce, killed, appended := pgtest.New(t), pgtest.New(t), pgtest.New(t)
	before := indexes(t, atOnce)
	require.NoError(t, job(t, atOnce).Run(t.Context()))
	require.Equal(t, before, indexes(t, atOnce))

	killAfterSomeParts(t, killed)
	err := func() error { other := job(t, killed); other.Simulation.Seed++; return other.Run(t.Context()) }()
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err), "another load may not take up what this one left")
	again := job(t, killed)
	again.Workers = 1
	require.NoError(t, again.Run(t.Context()))
	require.Equal(t, before, indexes(t, killed))

	slow := job(t, appended)
	slow.Append = true
	require.NoError(t, slow.Run(t.Context()))

	want := contents(t, atOnce)
	require.Equal(t, want, contents(t, killed))
	require.Equal(t, want, contents(t, appended))
	for _, dsn := range []string{atOnce, appended} {
		report, err := pgtest.Open(t, dsn, postgres.Options{}).Rebuild(t.Context(), postgres.RebuildOptions{Workers: 2})
		require.NoError(t, err)
		require.True(t, report.Sound(), "%v %v", report.DifferingIDs, report.BrokenIDs)
		require.Equal(t, int64(loaded), report.Issues)
		require.Greater(t, report.Events, int64(5*loaded))
		require.Greater(t, report.Histories, int64(300))
		require.Greater(t, report.HistoryEvents, 2*report.Histories)
	}
}

// killAfterSomeParts begins a load and ends its connections while it is at work, as a killed process would.
func killAfterSomeParts(t *testing.T, dsn string) {
	t.Helper()
	s, err := simulate.New(province())
	require.NoError(t, err)
	db, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 4})
	require.NoError(t, err)
	defer db.Close()
	begun := s.Job()
	bulk, err := db.OpenBulk(t.Context(), begun, s.Foundation())
	require.NoError(t, err)
	defer bulk.Close(t.Context())
	for n := range 2 {
		part, err := s.Part(n)
		require.NoError(t, err)
		require.NoError(t, bulk.Load(t.Context(), n, part))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	part, err := s.Part(2)
	require.NoError(t, err)
	require.Error(t, bulk.Load(ctx, 2, part))
}

func TestLoadRefusesWhatItWouldSpoil(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	require.NoError(t, job(t, dsn).Run(t.Context()))
	err := job(t, dsn).Run(t.Context())
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))
	require.ErrorContains(t, err, "--append")

	db := pgtest.Open(t, dsn, postgres.Options{})
	s, err := simulate.New(province())
	require.NoError(t, err)
	work := s.Job()
	work.Append, work.Issues, work.Parts = true, 0, 0
	first, err := db.OpenBulk(t.Context(), work, groundwork.Foundation{})
	require.NoError(t, err)
	_, err = db.OpenBulk(t.Context(), work, groundwork.Foundation{})
	require.ErrorContains(t, err, "another load is at work")
	first.Close(t.Context())
}

// What the triggers and foreign keys would have refused is found at the end, and the load stays unfinished.
func TestLoadProvesTheRulesThatItPutAside(t *testing.T) {
	t.Parallel()
	cfg := province()
	cfg.Issues = 300
	s, err := simulate.New(cfg)
	require.NoError(t, err)
	for rule, spoil := range map[string]func(*groundwork.Bulk){
		"issue_site_id_fkey":         func(b *groundwork.Bulk) { b.Issues[0].SiteID = new(uuid.New()) },
		"events without gaps":        func(b *groundwork.Bulk) { b.Events = append(b.Events[:1], b.Events[2:]...) },
		"every issue has its events": func(b *groundwork.Bulk) { b.Issues[0].Seq++ },
		"verdicts not of handlers": func(b *groundwork.Bulk) {
			b.Feedback[0].CollectedBy, b.Feedback[0].CollectedUnitID = groundwork.ByIndependent, leadOf(b, b.Feedback[0].IssueID)
		},
		"calls not of handlers": func(b *groundwork.Bulk) {
			for _, c := range b.Claims {
				if c.ID == b.Attempts[0].ClaimID {
					b.Attempts[0].AgentUnitID = leadOf(b, c.IssueID)
				}
			}
		},
		"histories without gaps": func(b *groundwork.Bulk) {
			h := b.Histories // an event between two others of the same visit
			for n := range h[2:] {
				if h[n].EntityID == h[n+1].EntityID && h[n+1].EntityID == h[n+2].EntityID {
					b.Histories = slices.Delete(h, n+1, n+2)
					return
				}
			}
		},
		"what has a life stands as its history says": func(b *groundwork.Bulk) { b.Slots[0].Version++ },
		"what has a life goes by it": func(b *groundwork.Bulk) {
			b.Histories[0].Actor.Role = groundwork.RoleIntake
			if b.Histories[0].Noun == "visit" {
				b.Histories[0].Actor.Role = groundwork.RoleAnalyst
			}
		},
		"notes come in time and from who took part": func(b *groundwork.Bulk) {
			n := slices.IndexFunc(b.Visits, func(v groundwork.Visit) bool { return v.NoteCreatedAt != nil })
			b.Visits[n].NoteCreatedAt = new(b.Visits[n].EndedAt.AddDate(0, 0, 8))
		},
		"points of visits that are closed out are on issues": func(b *groundwork.Bulk) {
			n := slices.IndexFunc(b.Visits, func(v groundwork.Visit) bool { return v.State == groundwork.VisitClosedOut })
			for i := range b.Opinions {
				if *b.Opinions[i].VisitID == b.Visits[n].ID {
					b.Opinions[i].Kind = groundwork.Suggestion
				}
			}
		},
		"only visits that were held are attested": func(b *groundwork.Bulk) {
			n := slices.IndexFunc(b.Visits, func(v groundwork.Visit) bool { return v.State == groundwork.VisitVoid })
			b.Attestations[0].VisitID = b.Visits[n].ID
		},
		"attestation_visit_id_fkey":      func(b *groundwork.Bulk) { b.Attestations[0].VisitID = uuid.New() },
		"visit_participant_post_id_fkey": func(b *groundwork.Bulk) { b.Visits[0].TakePartIDs = []uuid.UUID{uuid.New()} },
		"policies are talked of on visits that were held": func(b *groundwork.Bulk) {
			b.PolicyItems[0].CreatedAt = b.PolicyItems[0].CreatedAt.AddDate(2, 0, 0)
			n := slices.IndexFunc(b.Visits, func(v groundwork.Visit) bool { return v.State == groundwork.VisitClosedOut && !onItem(b, v.ID) })
			b.PolicyItems[0].VisitID = b.Visits[n].ID
		},
		"changes of policy rest on evidence": func(b *groundwork.Bulk) {
			b.Evidence = slices.DeleteFunc(b.Evidence, func(e groundwork.EvidenceLink) bool { return e.PolicyChangeID == b.PolicyChanges[0].ID })
		},
		"outcomes are registered before a change of policy takes effect": func(b *groundwork.Bulk) {
			b.PolicyChanges[1].PreRegisteredAt = new(b.PolicyChanges[1].PreRegisteredAt.AddDate(1, 0, 0))
		},
		"a change of policy takes effect in regions that do not overlap": func(b *groundwork.Bulk) {
			b.Rollouts[0].RegionID = s.Foundation().Regions[0].ID // all of the province
		},
		"a pilot has a dated rollout": func(b *groundwork.Bulk) {
			b.Rollouts = slices.DeleteFunc(b.Rollouts, func(r groundwork.PolicyRollout) bool { return r.PolicyChangeID == b.PolicyChanges[0].ID })
		},
		"evidence_link_visit_id_fkey": func(b *groundwork.Bulk) { b.Evidence[0].VisitID = new(uuid.New()) },
		"campaign_issue_issue_id_fkey": func(b *groundwork.Bulk) {
			c := &b.Campaigns[0]
			c.Issues = append(c.Issues, groundwork.CampaignIssue{ID: uuid.New(), CampaignID: c.Stood[0].ID, IssueID: uuid.New(), JoinedAt: s.Foundation().Policies[0].CreatedAt})
		},
		"turns are fulfilled by visits of who has them": func(b *groundwork.Bulk) {
			n := slices.IndexFunc(b.Slots, func(s groundwork.RotaSlot) bool { return s.VisitID != nil })
			b.Slots[n].PostID = b.Slots[len(b.Slots)-1].PostID
		},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewDB(t)
			bulk, err := db.OpenBulk(t.Context(), s.Job(), s.Foundation())
			require.NoError(t, err)
			defer bulk.Close(t.Context())
			for n := range s.Job().Parts {
				part, err := s.Part(n)
				require.NoError(t, err)
				if spoils(rule, part) {
					spoil(part)
				}
				require.NoError(t, bulk.Load(t.Context(), n, part))
			}
			err = bulk.Finish(t.Context(), func(string) {})
			require.ErrorContains(t, err, rule)
			unfinished, err := db.UnfinishedBulk(t.Context())
			require.NoError(t, err)
			require.NotNil(t, unfinished)
		})
	}
}

// spoils reports whether a rule is about the rows of a part.
func spoils(rule string, b *groundwork.Bulk) bool {
	switch {
	case strings.HasPrefix(rule, "only visits "), strings.HasPrefix(rule, "policies "), strings.HasPrefix(rule, "attestation"), strings.HasPrefix(rule, "visit_"), strings.HasPrefix(rule, "notes "), strings.HasPrefix(rule, "points "), strings.HasPrefix(rule, "histories "):
		return len(b.Visits) > 0
	case strings.HasPrefix(rule, "campaign_"):
		return len(b.Campaigns) > 0
	case strings.Contains(rule, "of policy "), strings.HasPrefix(rule, "a pilot "), strings.HasPrefix(rule, "evidence_"):
		return len(b.PolicyChanges) > 0
	case strings.Contains(rule, "turns "), strings.HasPrefix(rule, "what has a life "):
		return len(b.Slots) > 0
	}
	return len(b.Issues) > 0
}

func onItem(b *groundwork.Bulk, visit uuid.UUID) bool {
	return slices.ContainsFunc(b.PolicyItems, func(i groundwork.VisitPolicyItem) bool { return i.VisitID == visit })
}

func leadOf(b *groundwork.Bulk, issue uuid.UUID) (unit *uuid.UUID) {
	for _, e := range b.Events {
		if e.IssueID == issue && e.LeadUnitID != nil {
			unit = e.LeadUnitID
		}
	}
	return unit
}

// The units that issues were dispatched to without an override are those of the catalogue, as the database sees it.
func TestDispatchesAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	require.NoError(t, job(t, dsn).Run(t.Context()))
	conn := connect(t, dsn)
	require.Zero(t, value[int](t, conn, `
		SELECT count(*) FROM issue_event e JOIN issue i ON i.id = e.issue_id JOIN region place ON place.id = i.region_id
		WHERE e.kind = 'DISPATCHED' AND NOT e.payload ? 'override_reason' AND NOT EXISTS (
			SELECT FROM dispatch_rule rule JOIN org_unit u ON u.id = rule.org_unit_id JOIN region seat ON seat.id = u.region_id
			WHERE rule.category_id = i.category_id AND rule.region_level = place.level AND rule.org_unit_id = e.lead_unit_id AND place.path <@ seat.path)`))
	require.Positive(t, value[int](t, conn, "SELECT count(*) FROM issue_event WHERE kind = 'DISPATCHED'"))
}

func TestDryRunKeepsNothing(t *testing.T) {
	t.Parallel()
	j := job(t, pgtest.New(t))
	j.DryRun = true
	require.NoError(t, j.Run(t.Context()))
	require.Zero(t, value[int](t, connect(t, j.Postgres), "SELECT count(*) FROM region"))
	_, err := os.Stat(j.Truth)
	require.True(t, errors.Is(err, os.ErrNotExist))
}
