package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// office is a system of record with one place, one category, two units and a clock of its own: Monday, 2 March 2026, 09:00 in China.
type office struct {
	*postgres.DB
	t                   testing.TB
	dsn                 string
	clock               *clock
	province, city      *groundwork.Region
	category            *groundwork.Category
	unit, callers       *groundwork.OrgUnit
	citizen, intake     groundwork.Actor
	dispatcher, handler groundwork.Actor
	head, caller        groundwork.Actor
	supervisor, system  groundwork.Actor
	post                *groundwork.PostHolding
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, dsn: pgtest.New(t), clock: &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, groundwork.China)}}
	o.DB = pgtest.Open(t, o.dsn, postgres.Options{Now: o.clock.Now, MaxConns: 12})
	ctx := t.Context()
	admin := groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	var err error
	o.province, _, err = o.CreateRegion(ctx, admin, groundwork.Region{Code: "430000000000", Level: groundwork.Province, Name: "西地省"})
	require.NoError(t, err)
	o.city, _, err = o.CreateRegion(ctx, admin, groundwork.Region{Code: "430100000000", Level: groundwork.Prefecture, Name: "A市", ParentID: &o.province.ID})
	require.NoError(t, err)
	o.category, _, err = o.CreateCategory(ctx, admin, groundwork.Category{Code: "roads", Name: "Roads", ValidFrom: day(2020, 1, 1)})
	require.NoError(t, err)
	o.unit, _, err = o.CreateOrgUnit(ctx, admin, groundwork.OrgUnit{Name: "Road bureau", Kind: groundwork.GovtUnit, RegionID: &o.city.ID})
	require.NoError(t, err)
	o.callers, _, err = o.CreateOrgUnit(ctx, admin, groundwork.OrgUnit{Name: "Call centre", Kind: groundwork.GovtUnit})
	require.NoError(t, err)
	_, _, err = o.CreateDispatchRule(ctx, admin, groundwork.DispatchRule{CategoryID: o.category.ID, RegionLevel: groundwork.Prefecture,
		OrgUnitID: o.unit.ID, Basis: "duty list 3", ValidFrom: day(2020, 1, 1)})
	require.NoError(t, err)
	official, _, err := o.CreateOfficial(ctx, admin, groundwork.Official{Pseudonym: "o-1"})
	require.NoError(t, err)
	o.post, _, err = o.CreatePostHolding(ctx, admin, groundwork.PostHolding{OfficialID: official.ID, OrgUnitID: o.callers.ID, Rank: groundwork.RankCounty,
		Title: "Head", HeldFrom: day(2020, 1, 1)})
	require.NoError(t, err)
	o.citizen = groundwork.Actor{ID: "citizen", Role: groundwork.RoleCitizen}
	o.intake = groundwork.Actor{ID: "intake", Role: groundwork.RoleIntake}
	o.dispatcher = groundwork.Actor{ID: "dispatcher", Role: groundwork.RoleDispatcher}
	o.handler = groundwork.Actor{ID: "handler", Role: groundwork.RoleHandler, UnitID: &o.unit.ID}
	o.head = groundwork.Actor{ID: "head", Role: groundwork.RoleUnitHead, UnitID: &o.unit.ID}
	o.caller = groundwork.Actor{ID: "caller", Role: groundwork.RoleCaller, UnitID: &o.callers.ID}
	o.supervisor = groundwork.Actor{ID: "supervisor", Role: groundwork.RoleSupervisor}
	o.system = groundwork.Actor{ID: "clock", Role: groundwork.RoleSystem}
	return o
}

// target promises an acceptance in a day, a response in two and a resolution in ten, on the clock on the wall.
func (o *office) target() *groundwork.TargetVersion {
	o.t.Helper()
	v, _, err := o.PublishTarget(o.t.Context(), o.system, groundwork.TargetVersion{Severity: groundwork.SeverityNormal, AckMinutes: 24 * 60,
		ResponseMinutes: 48 * 60, ResolutionMinutes: 240 * 60, TimeBase: groundwork.WallTime})
	require.NoError(o.t, err)
	return v
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// opinion is submitted by the citizen.
func (o *office) opinion(subject string) *groundwork.Opinion {
	o.t.Helper()
	said, _, err := o.SubmitOpinion(o.t.Context(), o.citizen, groundwork.Opinion{Channel: groundwork.ChannelOnline, Kind: groundwork.Complaint,
		Subject: subject, Text: "The road is broken.", RegionID: &o.city.ID})
	require.NoError(o.t, err)
	return said
}

// issue is registered on a new opinion.
func (o *office) issue(subject string) *groundwork.Issue {
	o.t.Helper()
	i, _, err := o.RegisterIssue(o.t.Context(), groundwork.Registration{Actor: o.intake, OpinionIDs: []uuid.UUID{o.opinion(subject).ID}, CategoryID: &o.category.ID})
	require.NoError(o.t, err)
	return i
}

// must takes steps that are legal, a minute apart.
func (o *office) must(i *groundwork.Issue, steps ...groundwork.Step) *groundwork.Issue {
	o.t.Helper()
	for _, s := range steps {
		o.clock.advance(time.Minute)
		s.IssueID = i.ID
		after, receipt, err := o.Step(o.t.Context(), s)
		require.NoError(o.t, err, "%s", s.Kind)
		require.NotZero(o.t, receipt.LSN)
		i = after
	}
	return i
}

func (o *office) dispatch() groundwork.Step {
	return groundwork.Step{Kind: groundwork.EventDispatched, Actor: o.dispatcher, UnitID: &o.unit.ID}
}

func (o *office) accept() groundwork.Step {
	return groundwork.Step{Kind: groundwork.EventAccepted, Actor: o.handler}
}

func (o *office) claimFixed() groundwork.Step {
	return groundwork.Step{Kind: groundwork.EventClaimed, Actor: o.handler, Text: "Mended.", ClaimKind: groundwork.ClaimFixed,
		Evidence: []string{"photo-1"}, AnswerDelivered: true}
}

func (o *office) confirm() groundwork.Step {
	return groundwork.Step{Kind: groundwork.EventConfirmed, Actor: o.citizen, Resolved: "YES", Satisfaction: new(5)}
}

func (o *office) sql(statement string, args ...any) error {
	o.t.Helper()
	conn, err := pgx.Connect(o.t.Context(), o.dsn)
	require.NoError(o.t, err)
	defer conn.Close(context.WithoutCancel(o.t.Context()))
	_, err = conn.Exec(o.t.Context(), statement, args...)
	return err
}

func (o *office) sound() {
	o.t.Helper()
	differ, err := o.RebuildCheck(o.t.Context())
	require.NoError(o.t, err)
	require.Empty(o.t, differ, "stored progress differs from the fold of the events")
}

func TestLifeOfAnIssue(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.issue("Broken road")
	require.Equal(t, groundwork.Registered, i.State)
	require.Regexp(t, `^GW-[0-9A-HJKMNP-TV-Z]{7}$`, i.PublicRef)
	i = o.must(i, o.dispatch(), o.accept(), o.claimFixed(), o.confirm())
	require.Equal(t, groundwork.Closed, i.State)
	require.Equal(t, groundwork.Confirmed, *i.ClosureType)
	require.Equal(t, i.ClaimedAt, i.ResolvedAt)

	events, err := o.EventsOf(t.Context(), []uuid.UUID{i.ID}, 10)
	require.NoError(t, err)
	require.Len(t, events[i.ID], 5)
	require.Equal(t, groundwork.EventConfirmed, events[i.ID][4].Kind)
	require.Equal(t, i.Progress, events[i.ID][4].Progress)
	claims, err := o.ClaimsOf(t.Context(), []uuid.UUID{i.ID}, 10)
	require.NoError(t, err)
	require.Len(t, claims[i.ID], 1)
	require.Equal(t, []string{"photo-1"}, claims[i.ID][0].Evidence)
	verdicts, err := o.FeedbackOf(t.Context(), []uuid.UUID{claims[i.ID][0].ID}, 10)
	require.NoError(t, err)
	require.Equal(t, "SELF", verdicts[claims[i.ID][0].ID][0].CollectedBy)
	require.NotNil(t, verdicts[claims[i.ID][0].ID][0].ReporterPID)
	o.sound()
}
