package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// Step implements groundwork.IssueStore.
func (db *DB) Step(ctx context.Context, s groundwork.Step) (*groundwork.Issue, groundwork.Receipt, error) {
	return do(ctx, db, issueRequest("take step "+string(s.Kind), s.Actor, s), func(tx pgx.Tx) (*groundwork.Issue, error) { return db.step(ctx, tx, s) })
}

func (db *DB) step(ctx context.Context, tx pgx.Tx, s groundwork.Step) (*groundwork.Issue, error) {
	if err := prove(ctx, tx, s.Secret); err != nil {
		return nil, err
	}
	locked, err := lockIssues(ctx, tx, s)
	if err != nil {
		return nil, err
	}
	issue := locked[s.IssueID]
	if issue == nil {
		return nil, unreached(ctx, tx, s.Actor, "issue", s.IssueID)
	}
	facts, err := db.facts(ctx, tx, issue, s)
	if err != nil {
		return nil, err
	}
	if s.TargetIssueID != nil {
		facts.Target = locked[*s.TargetIssueID]
	}
	event, err := issue.Plan(s, facts)
	if err != nil {
		return nil, err
	}
	if err := keepStep(ctx, tx, issue, s, event, facts); err != nil {
		return nil, err
	}
	if err := addEvents(ctx, tx, []groundwork.Event{event}); err != nil {
		return nil, err
	}
	before := issue.Progress
	issue.Progress = event.Progress
	if !s.FromSource() {
		issue.ObservedUntil = nil // from now on its course is observed here
	}
	if event.Kind == groundwork.EventCarried {
		issue.CarryingPostID = s.PostID
	}
	if err := tell(ctx, tx, issue, event); err != nil {
		return nil, err
	}
	d := derivation{issue, before, facts.History, append(slices.Clip(facts.History), event)}
	if err := keepDerived(ctx, tx, d); err != nil {
		return nil, err
	}
	return one[groundwork.Issue](ctx, tx, "update issue", progressUpdate+" RETURNING "+issueColumns, progressArgs(issue, issue.NextDue(facts.Calendar, d.after)))
}

// lockIssues locks the issue and, for a merger, its target, always in the order of ids, so that two mergers cannot deadlock.
func lockIssues(ctx context.Context, tx pgx.Tx, s groundwork.Step) (map[uuid.UUID]*groundwork.Issue, error) {
	ids := []uuid.UUID{s.IssueID}
	if s.Kind == groundwork.EventMerged && s.TargetIssueID != nil {
		ids = append(ids, *s.TargetIssueID)
	}
	return lockIDs(ctx, tx, ids)
}

func lockIDs(ctx context.Context, tx pgx.Tx, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Issue, error) {
	items, err := collect[groundwork.Issue](ctx, tx, "lock issues",
		"SELECT "+issueColumns+" FROM issue WHERE id = ANY(@ids) ORDER BY id FOR UPDATE", pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	locked := make(map[uuid.UUID]*groundwork.Issue, len(items))
	for i := range items {
		locked[items[i].ID] = &items[i]
	}
	return locked, nil
}

// facts reads what the guards of the step need to know.
func (db *DB) facts(ctx context.Context, tx pgx.Tx, i *groundwork.Issue, s groundwork.Step) (f groundwork.Facts, err error) {
	f.Now = groundwork.Moment(db.now())
	past, err := histories(ctx, tx, []uuid.UUID{i.ID})
	if err != nil {
		return f, err
	}
	f.History = past[i.ID]
	if f.Calendar, err = calendar(ctx, tx, i.OriginAt); err != nil {
		return f, err
	}
	if i.State == groundwork.Claimed {
		if err := judged(ctx, tx, i.ID, &f); err != nil {
			return f, err
		}
	}
	if s.Actor.Role == groundwork.RoleCitizen {
		if err := reporters(ctx, tx, i.ID, s.Actor, s.Secret, &f); err != nil {
			return f, err
		}
	}
	switch {
	case s.Kind == groundwork.EventDispatched && s.UnitID != nil:
		if f.InCatalogue, err = inCatalogue(ctx, tx, i, s, f.Now); err == nil && i.TargetVersionID != nil {
			f.Promised, err = one[groundwork.TargetVersion](ctx, tx, "read target",
				"SELECT "+targetColumns+" FROM target_version WHERE id = @id", pgx.NamedArgs{"id": i.TargetVersionID})
		}
	case len(s.UploadedEvidence()) > 0:
		f.Uploaded, err = wereUploaded(ctx, tx, s.UploadedEvidence())
	case s.Kind == groundwork.EventCarried && s.PostID != nil:
		f.Post, err = one[groundwork.PostHolding](ctx, tx, "read post", "SELECT "+postHoldingColumns+" FROM post_holding WHERE id = @id", pgx.NamedArgs{"id": s.PostID})
	case s.Kind == groundwork.EventLinked && s.OpinionID != nil:
		err = opinionToLink(ctx, tx, *s.OpinionID, &f)
	}
	return f, err
}

// wereUploaded are those of the files that somebody put.
func wereUploaded(ctx context.Context, tx pgx.Tx, hashes []string) ([]string, error) {
	if len(hashes) == 0 {
		return nil, nil
	}
	return scalars[string](ctx, tx, "look for evidence", "SELECT file FROM unnest(@hashes::text[]) AS file WHERE access.was_uploaded(file)", pgx.NamedArgs{"hashes": hashes})
}

// calendar reads the exceptions from the day of a moment on.
func calendar(ctx context.Context, q querier, from time.Time) (groundwork.Calendar, error) {
	type entry struct {
		Day       string
		IsWorkday bool
	}
	items, err := collect[entry](ctx, q, "read calendar", "SELECT date::text AS day, is_workday FROM calendar_day WHERE date >= @from::date",
		pgx.NamedArgs{"from": groundwork.DayOf(from)})
	c := make(groundwork.Calendar, len(items))
	for _, e := range items {
		c[e.Day] = e.IsWorkday
	}
	return c, err
}

// judged reads the claim that a verdict is about, and how often its reporter was called back.
func judged(ctx context.Context, tx pgx.Tx, issue uuid.UUID, f *groundwork.Facts) (err error) {
	f.Claim, err = one[groundwork.Claim](ctx, tx, "read claim",
		"SELECT "+claimColumns+" FROM claim WHERE issue_id = @issue ORDER BY n DESC LIMIT 1", pgx.NamedArgs{"issue": issue})
	if err != nil || f.Claim == nil {
		return err
	}
	f.Attempts, err = collect[groundwork.CallbackAttempt](ctx, tx, "read call-back attempts",
		"SELECT "+attemptColumns+" FROM callback_attempt WHERE claim_id = @claim", pgx.NamedArgs{"claim": f.Claim.ID})
	return err
}

func reporters(ctx context.Context, tx pgx.Tx, issue uuid.UUID, actor groundwork.Actor, secret string, f *groundwork.Facts) (err error) {
	f.Reporters, err = scalars[uuid.UUID](ctx, tx, "read reporters", `
		SELECT DISTINCT o.reporter_pid FROM issue_opinion link JOIN opinion o ON o.id = link.opinion_id
		WHERE link.issue_id = @issue AND o.reporter_pid IS NOT NULL`, pgx.NamedArgs{"issue": issue})
	if err != nil {
		return err
	}
	if secret != "" {
		given, err := scalars[*uuid.UUID](ctx, tx, "look up the secret", `
			SELECT o.reporter_pid FROM opinion o JOIN issue_opinion link ON link.opinion_id = o.id WHERE link.issue_id = @issue AND o.secret_digest = @digest`,
			pgx.NamedArgs{"issue": issue, "digest": groundwork.SecretDigest(secret)})
		if err != nil {
			return err
		}
		if f.Proven = len(given) == 1; f.Proven {
			f.ActorPID = given[0]
			return nil
		}
	}
	if actor.ID == groundwork.Anonymous.ID { // nobody in particular
		return nil
	}
	pids, err := knownPseudonyms(ctx, tx, ownSource, []string{actor.ID})
	if pid, ok := pids[actor.ID]; ok {
		f.ActorPID = &pid
	}
	return err
}

// inCatalogue looks the unit up for the issue's category, or one above it, at the level of the issue's region, on that day; a unit
// of a region serves only what lies in it. A new version of a category keeps the rules of its code.
func inCatalogue(ctx context.Context, tx pgx.Tx, i *groundwork.Issue, s groundwork.Step, now time.Time) (bool, error) {
	if !s.At.IsZero() {
		now = s.At
	}
	found, err := scalars[bool](ctx, tx, "look up the catalogue", `
		WITH RECURSIVE above AS (
			SELECT parent_id, code FROM category WHERE id = @category
			UNION SELECT c.parent_id, c.code FROM category c JOIN above ON c.id = above.parent_id
		)
		SELECT EXISTS (
			SELECT FROM dispatch_rule rule
			JOIN region place ON place.id = @region AND place.level = rule.region_level
			JOIN category about ON about.id = rule.category_id
			JOIN org_unit unit ON unit.id = rule.org_unit_id
			LEFT JOIN region seat ON seat.id = unit.region_id
			WHERE rule.org_unit_id = @unit AND about.code IN (SELECT code FROM above)
				AND rule.valid_from <= @day::date AND (rule.valid_to IS NULL OR rule.valid_to > @day::date)
				AND (seat.id IS NULL OR place.path <@ seat.path))`,
		pgx.NamedArgs{"category": i.CategoryID, "region": i.RegionID, "unit": s.UnitID, "day": groundwork.DayOf(now)})
	return err == nil && found[0], err
}

func opinionToLink(ctx context.Context, tx pgx.Tx, id uuid.UUID, f *groundwork.Facts) (err error) {
	f.Opinion, err = one[groundwork.Opinion](ctx, tx, "read opinion", "SELECT "+opinionColumns+" FROM opinion WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": id})
	if err != nil {
		return err
	}
	linked, err := scalars[uuid.UUID](ctx, tx, "read link", "SELECT issue_id FROM issue_opinion WHERE opinion_id = @id", pgx.NamedArgs{"id": id})
	if len(linked) > 0 {
		f.OpinionIssueID = &linked[0]
	}
	return err
}

// keepStep writes the rows that belong to a step beside its event.
func keepStep(ctx context.Context, tx pgx.Tx, i *groundwork.Issue, s groundwork.Step, e groundwork.Event, f groundwork.Facts) (err error) {
	switch e.Kind {
	case groundwork.EventClaimed:
		err = keepClaim(ctx, tx, i, s, e)
	case groundwork.EventCalledBack:
		err = add(ctx, tx, "callback_attempt", pgx.NamedArgs{"id": newID(uuid.Nil), "claim_id": f.Claim.ID, "at": e.At, "method": s.Method,
			"agent_unit_id": s.Actor.UnitID, "outcome": s.Outcome, "recorded_by": s.Actor.ID})
	case groundwork.EventConfirmed, groundwork.EventDisputed, groundwork.EventFeedback:
		err = keepFeedback(ctx, tx, s, e, f)
	case groundwork.EventClosed:
		if slices.Contains([]groundwork.Closure{groundwork.Explained, groundwork.ReferredOut}, s.Closure) {
			_, err = tx.Exec(ctx, "UPDATE claim SET reviewed_by = @by WHERE id = @id", pgx.NamedArgs{"by": s.Actor.ID, "id": f.Claim.ID})
		}
	case groundwork.EventLinked:
		var score float64
		if score, err = linkScore(ctx, tx, i, *s.OpinionID); err == nil {
			err = add(ctx, tx, "issue_opinion", pgx.NamedArgs{"issue_id": i.ID, "opinion_id": s.OpinionID, "linked_at": e.At, "linked_by": s.Actor.ID, "score": score})
		}
	}
	return err
}

func add(ctx context.Context, tx pgx.Tx, table string, args pgx.NamedArgs) error {
	_, err := tx.Exec(ctx, insertSQL(table, args), args)
	return err
}

func keepClaim(ctx context.Context, tx pgx.Tx, i *groundwork.Issue, s groundwork.Step, e groundwork.Event) error {
	source := ownSource
	if s.FromSource() {
		source = s.Actor.ID
	}
	var signed *string
	if s.Actor.Role == groundwork.RoleUnitHead {
		signed = &s.Actor.ID
	}
	evidence := slices.DeleteFunc(slices.Clone(s.Evidence), func(text string) bool { return text == "" })
	if evidence == nil {
		evidence = []string{}
	}
	args := pgx.NamedArgs{"id": newID(uuid.Nil), "issue": i.ID, "kind": nullable(string(s.ClaimKind)), "source": source,
		"opinion": s.OpinionID, "text": s.Text, "basis": nullable(s.LegalBasis), "notice": nullable(s.AppealNotice),
		"receipt": nullable(s.Receipt), "evidence": evidence, "at": e.At, "unit": s.Actor.UnitID, "signed": signed, "by": s.Actor.ID}
	_, err := tx.Exec(ctx, `
		INSERT INTO claim (id, issue_id, n, kind, source, opinion_id, text, legal_basis, appeal_notice, receipt, evidence, claimed_at,
			unit_id, signed_by, recorded_by)
		SELECT @id, @issue, 1 + count(*), @kind, @source, @opinion, @text, @basis, @notice, @receipt, @evidence, @at, @unit, @signed, @by
		FROM claim WHERE issue_id = @issue`, args)
	return err
}

func keepFeedback(ctx context.Context, tx pgx.Tx, s groundwork.Step, e groundwork.Event, f groundwork.Facts) error {
	pressured := s.Pressured
	if pressured == "" {
		pressured = "UNSAID"
	}
	return add(ctx, tx, "feedback", pgx.NamedArgs{"id": newID(uuid.Nil), "claim_id": f.Claim.ID, "issue_id": e.IssueID, "reporter_pid": f.ActorPID,
		"resolved": s.Resolved, "satisfaction": s.Satisfaction, "pressured": pressured, "collected_by": e.Payload["collected_by"],
		"collected_unit_id": s.Actor.UnitID, "comment": nullable(s.Comment), "at": e.At, "recorded_by": s.Actor.ID})
}

func nullable(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
