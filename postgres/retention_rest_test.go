package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/files"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// load writes rows as they were some months ago, without the rules of the domain. {at} is then, {x} the id that goes by the name x.
func (a *archive) load(months int, script string) {
	a.Helper()
	conn, err := pgx.Connect(a.Context(), a.dsn)
	require.NoError(a, err)
	defer conn.Close(context.WithoutCancel(a.Context()))
	script = strings.ReplaceAll(script, "{at}", "'"+a.asOf.AddDate(0, -months, 0).Format(time.RFC3339Nano)+"'::timestamptz")
	_, err = conn.Exec(a.Context(), "SET session_replication_role = replica; "+idOf.ReplaceAllString(script, "md5('$1')::uuid"))
	require.NoError(a, err, script)
}

// places are what visits, discussions and campaigns refer to.
const places = `
	INSERT INTO region (id, code, level, path, name) VALUES ({region}, '430000000000', 'PROVINCE', '430000000000', 'x');
	INSERT INTO site (id, region_id, kind, name) VALUES ({site}, {region}, 'SCHOOL', 'x');
	INSERT INTO org_unit (id, name, kind) VALUES ({unit}, 'x', 'GOVT');
	INSERT INTO official (id, pseudonym) VALUES ({official}, 'x');
	INSERT INTO post_holding (id, official_id, org_unit_id, rank, title, held_from) VALUES ({post}, {official}, {unit}, 'COUNTY', 'x', '2001-01-01');`

// visitOf is a visit with its note, which was compared, and its course.
func visitOf(name, state string) string {
	return strings.NewReplacer("[v]", "{"+name+"}", "[state]", state).Replace(`
		INSERT INTO visit (id, activity_kind, notice, site_id, lead_id, started_at, ended_at, note_text, note_unit_id, note_created_at, state)
			VALUES ([v], 'RESEARCH', 'ANNOUNCED', {site}, {post}, {at}, {at}, 'Met Li Mei', {unit}, {at}, '[state]');
		INSERT INTO note_check (visit_id, official_id, noted_at, shingles, sketch, containment, copied, detector) VALUES ([v], {official}, {at}, 3, ARRAY[7], 0, false, 1);
		INSERT INTO entity_event (noun, entity_id, seq, kind, to_state, at, actor, actor_role, reason) VALUES ('visit', [v], 1, 'x', '[state]', {at}, 'x', 'LEADER', 'Li Mei was ill');`)
}

// A note rests when the visit is over, and so is all that was raised at it.
func TestRetentionOfVisits(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.load(25, places+visitOf("over", "CLOSED_OUT")+visitOf("void", "VOID")+visitOf("raised", "CLOSED_OUT")+visitOf("recorded", "RECORDED")+visitOf("unread", "CLOSED_OUT")+"DELETE FROM note_check WHERE visit_id = {unread};")
	a.load(23, visitOf("young", "CLOSED_OUT"))
	opinion, issue := a.old("wang", 25, false)
	a.load(25, "UPDATE opinion SET visit_id = {raised} WHERE id = '"+opinion.String()+"'; INSERT INTO attestation (id, visit_id, voice, says, at) VALUES ({said}, {over}, 'CITIZEN', 'SHORTER', {at});")
	before := a.ask("SELECT md5(string_agg((id, state, started_at, ended_at, citizens_met, note_unit_id, note_created_at)::text, ';' ORDER BY id)) FROM visit")
	require.Equal(t, map[groundwork.RetentionKind]int{groundwork.KeepVisitWords: 2}, a.sweep())
	require.Equal(t, before, a.ask("SELECT md5(string_agg((id, state, started_at, ended_at, citizens_met, note_unit_id, note_created_at)::text, ';' ORDER BY id)) FROM visit"))
	const left = `SELECT string_agg(concat_ws('|', v.note_text, v.redacted_at IS NOT NULL, c.sketch::text, e.reason), ' ; ' ORDER BY v.id) FROM visit v LEFT JOIN note_check c ON c.visit_id = v.id
		JOIN entity_event e ON e.entity_id = v.id WHERE v.id = ANY ($1)`
	require.Equal(t, "|t|{} ; |t|{}", a.ask(left, []any{md5ID("over"), md5ID("void")}))
	require.EqualValues(t, 4, a.ask("SELECT count(*) FROM visit v JOIN entity_event e ON e.entity_id = v.id WHERE v.note_text = 'Met Li Mei' AND e.reason = 'Li Mei was ill' AND v.redacted_at IS NULL"))
	require.Equal(t, "SHORTER", a.ask("SELECT says FROM attestation"), "what is attested is a code and stays")

	// While a flag about whoever led it is open, the note is what it is about.
	a.load(25, `UPDATE issue SET state = 'CLOSED', closure_type = 'CONFIRMED', closed_at = {at} WHERE id = '`+issue.String()+`';
		INSERT INTO formalism_flag (id, kind, subject_unit_id, subject_post_id, period_from, period_to, detector, detector_version, score, evidence, state, version, raised_at)
		VALUES ({flag}, 'F3', {unit}, {post}, {at}::date - 10, {at}::date + 10, 'x', 1, 1, '{"x": 1}', 'RAISED', 1, {at});`)
	require.NotContains(t, a.sweep(), groundwork.KeepVisitWords)
	a.load(25, "UPDATE formalism_flag SET state = 'DISMISSED', finding = 'x', reviewed_at = {at}, reviewer = 'x', reviewer_unit_id = {unit};")
	require.Equal(t, map[groundwork.RetentionKind]int{groundwork.KeepVisitWords: 1}, a.sweep())
	require.Equal(t, "", a.ask("SELECT note_text FROM visit WHERE id = $1", md5ID("raised")))
	done, err := a.note(t)
	require.NoError(t, err)
	require.Equal(t, 1, done, "the one that nobody looked at yet waits to be compared; what has no words is not")
	require.Equal(t, map[groundwork.RetentionKind]int{groundwork.KeepVisitWords: 1}, a.sweep())
	for _, sql := range []string{"UPDATE visit SET note_text = '' WHERE state = 'RECORDED' RETURNING 1", "UPDATE visit SET note_text = 'y', redacted_at = now() WHERE state = 'RECORDED' RETURNING 1"} {
		_, err := a.sql(sql)
		require.ErrorContains(t, err, "written once", sql)
	}
	for _, role := range []string{postgres.RoleApp, postgres.RoleJobs} {
		require.True(t, refused(t, connectAs(t, a.dsn, role), "UPDATE visit SET note_text = '', redacted_at = now()"), role)
	}
}

func (a *archive) note(t *testing.T) (int, error) {
	for _, c := range a.chores.Chores() {
		if c.Name == "note_check" {
			return c.Run(t.Context(), a.asOf)
		}
	}
	return 0, errors.New("no such chore")
}

// What a post says goes two years after its discussion was closed, and so does why it was withheld.
func TestRetentionOfPosts(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	discussion := func(name string, closed string) string {
		return strings.NewReplacer("[d]", "{"+name+"}", "[p]", "{p_"+name+"}", "[q]", "{q_"+name+"}", "[closed]", closed).Replace(`
			INSERT INTO discussion (id, region_id, topic, state, opened_at, closed_at, outcome, version) SELECT [d], {region}, 'The school road', CASE WHEN [closed] THEN 'CLOSED' ELSE 'OPEN' END, {at},
				CASE WHEN [closed] THEN {at} END, CASE WHEN [closed] THEN 'It is paved' END, 1;
			INSERT INTO discussion_post (id, discussion_id, kind, text, author_pid, author_role, at, recorded_by, withheld_at, withheld_reason) VALUES
				([p], [d], 'OBJECTION', 'Li Mei lives there', NULL, 'INTAKE', {at}, 'x', NULL, NULL), ([q], [d], 'OBJECTION', 'Li Mei lies', (SELECT pid FROM vault.reporter LIMIT 1), 'CITIZEN', {at}, 'mei', {at}, 'It abuses Li Mei');
			INSERT INTO entity_event (noun, entity_id, seq, kind, to_state, at, actor, actor_role, reason) VALUES ('discussion_post', [q], 1, 'WITHHELD', 'WITHHELD', {at}, 'x', 'SUPERVISOR', 'It abuses Li Mei');`)
	}
	a.old("mei", 25, true)
	a.load(25, places+discussion("closed", "true")+discussion("open", "false"))
	a.load(23, discussion("young", "true"))
	done := a.sweep()
	require.Equal(t, 2, done[groundwork.KeepPostWords])
	require.EqualValues(t, 0, a.ask("SELECT count(*) FROM discussion_post WHERE discussion_id = $1 AND (text <> '' OR withheld_reason ~ 'Li Mei' OR redacted_at IS NULL)", md5ID("closed")))
	require.EqualValues(t, 2, a.ask("SELECT count(*) FROM entity_event WHERE reason IS NOT NULL"))
	require.EqualValues(t, 4, a.ask("SELECT count(*) FROM discussion_post WHERE text ~ 'Li Mei' AND redacted_at IS NULL"))
	require.Equal(t, "The school road|It is paved", a.ask("SELECT topic || '|' || outcome FROM discussion WHERE id = $1", md5ID("closed")))
	require.NotContains(t, done, groundwork.KeepReporterIdentity, "who posted since is still known")
	a.load(25, "UPDATE discussion_post SET at = {at};")
	require.Equal(t, 1, a.sweep()[groundwork.KeepReporterIdentity], "also of a post that is withheld")
	require.EqualValues(t, 0, a.ask("SELECT count(*) FROM discussion_post WHERE recorded_by = 'mei'"))
	for _, sql := range []string{"UPDATE discussion_post SET text = '' RETURNING 1", "UPDATE discussion_post SET text = 'y', redacted_at = now() RETURNING 1", "UPDATE discussion_post SET redacted_at = NULL RETURNING 1"} {
		_, err := a.sql(sql)
		require.ErrorContains(t, err, "append-only", sql)
	}
	require.True(t, refused(t, connectAs(t, a.dsn, postgres.RoleApp), "UPDATE discussion_post SET text = '', redacted_at = now()"))
}

// Reasons in the life of all else go two years after it ended.
func TestRetentionOfReasons(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	life := func(noun, name, state string) string {
		return strings.NewReplacer("[noun]", noun, "[id]", "{"+name+"}", "[state]", state).Replace(`
			INSERT INTO entity_event (noun, entity_id, seq, kind, from_state, to_state, at, actor, actor_role, reason) VALUES ('[noun]', [id], 1, 'x', NULL, 'x', {at}, 'x', 'LEADER', 'Li Mei is ill'),
				('[noun]', [id], 2, 'x', 'x', '[state]', {at}, 'x', 'LEADER', NULL);`)
	}
	a.load(25, life("rota_slot", "excused", "EXCUSED")+life("rota_slot", "open", "OPEN")+life("campaign", "failed", "FAILED")+life("campaign", "active", "ACTIVE")+life("assessment", "appealed", "APPEALED")+
		life("assessment", "final", "FINAL")+life("gizmo", "unknown", "CLOSED")+life("rota_slot", "later", "MISSED"))
	a.load(23, `INSERT INTO entity_event (noun, entity_id, seq, kind, from_state, to_state, at, actor, actor_role) VALUES ('rota_slot', {later}, 3, 'x', 'MISSED', 'EXCUSED', {at}, 'x', 'LEADER');`+life("discussion", "young", "CLOSED"))
	require.Equal(t, map[groundwork.RetentionKind]int{groundwork.KeepHistoryReasons: 3}, a.sweep())
	require.EqualValues(t, 6, a.ask("SELECT count(*) FROM entity_event WHERE reason = 'Li Mei is ill'"))
	require.EqualValues(t, 0, a.ask("SELECT count(*) FROM entity_event WHERE reason IS NOT NULL AND entity_id = ANY ($1)", []any{md5ID("excused"), md5ID("failed"), md5ID("final")}))
	for _, sql := range []string{"UPDATE entity_event SET reason = 'y' RETURNING 1", "UPDATE entity_event SET reason = NULL, actor = 'y' RETURNING 1", "DELETE FROM entity_event RETURNING 1"} {
		_, err := a.sql(sql)
		require.ErrorContains(t, err, "append-only", sql)
	}
}

// All states that are said to be the end of a life are states, and no step leads on from them but an appeal, an excuse, a release or a task taken up again.
func TestEndedStatesAreEnds(t *testing.T) {
	t.Parallel()
	onward := map[string]bool{"rota_slot MISSED": true, "rota_slot FULFILLED": true, "rota_slot LATE": true, "formalism_flag CONFIRMED": true, "formalism_flag DISMISSED": true, "assessment FINAL": true, "campaign_task DONE": true}
	rows, err := connectAs(t, pgtest.New(t), "postgres").Query(t.Context(), "SELECT noun || ' ' || state FROM retention.ended_state")
	require.NoError(t, err)
	ended, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	reached := map[string]bool{}
	for _, m := range groundwork.Machines() {
		for _, row := range m.Rows {
			reached[m.Noun+" "+row.To] = true
			for _, from := range row.From {
				from = m.Noun + " " + from
				require.True(t, !slices.Contains(ended, from) || onward[from] || row.To == "", "%s leads from %s to %s", row.Kind, from, row.To)
			}
		}
	}
	for _, state := range ended {
		require.True(t, reached[state], "no step leads to %s", state)
	}
}

// shelf is where the contents of files lie. It fails as it is told to.
type shelf struct {
	files.Disk
	refuses, forgets error // before and after the content is gone
}

func (s *shelf) Delete(ctx context.Context, sum string) error {
	if s.refuses != nil {
		return s.refuses
	}
	return errors.Join(s.Disk.Delete(ctx, sum), s.forgets)
}

// file brings a file as an account did so many months ago, and returns its hash.
func (a *archive) file(content, account string, months int) string {
	a.Helper()
	sum, size, err := a.shelf.Put(a.Context(), strings.NewReader(content), 100)
	require.NoError(a, err)
	_, _, err = a.RecordEvidence(a.Context(), groundwork.Actor{ID: account, Role: groundwork.RoleHandler, Everywhere: true}, groundwork.EvidenceFile{SHA256: sum, Size: size, MediaType: "image/png"})
	require.NoError(a, err)
	a.load(months, "UPDATE evidence_file SET created_at = {at}, brought_at = {at} WHERE sha256 = '"+sum+"' AND recorded_by = '"+account+"';")
	return sum
}

func (a *archive) lies(sum string) bool {
	_, err := os.Stat(filepath.Join(a.shelf.Dir, sum[:2], sum[2:]))
	return err == nil
}

func hashOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// Files go when nothing that names them is younger. old names the file that holds the name of the account.
func TestRetentionOfFiles(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.load(25, places)
	for account, months := range map[string]int{"mei": 25, "wang": 23} {
		a.old(account, months, true)
	}
	a.old("zhao", 60, false)
	past, young, open := a.file("mei", "handler", 25), a.file("wang", "handler", 26), a.file("zhao", "handler", 61)
	unnamed, late := a.file("nobody names it", "handler", 25), a.file("nobody names it yet", "handler", 23)
	twice := a.file("brought twice", "handler", 25)
	a.file("brought twice", "another", 2)
	shared := a.file("shared", "handler", 25)
	for _, account := range []string{"mei", "wang"} {
		a.load(25, "UPDATE claim SET evidence = evidence || ARRAY['sha256:"+shared+"'] WHERE evidence @> ARRAY['sha256:"+hashOf(account)+"'];")
	}
	running, ended := a.file("running campaign", "handler", 25), a.file("campaign that ended", "handler", 25)
	serving := a.file("skill of who is in office", "handler", 25)
	a.load(25, `INSERT INTO campaign (id, topic, origin, selection_rule, lead_unit_id, state, version, nominated_at, ended_at) VALUES ({runs}, 'x', 'LEADER', 'x', {unit}, 'CANDIDATE', 1, {at}, NULL), ({ends}, 'x', 'LEADER', 'x', {unit}, 'DECLINED', 1, {at}, {at});
		INSERT INTO campaign_task (id, campaign_id, title, owner_unit_id, due_at, done_at, state, version, evidence) VALUES ({t1}, {runs}, 'x', {unit}, {at}, {at}, 'DONE', 1, ARRAY['sha256:`+running+`']), ({t2}, {ends}, 'x', {unit}, {at}, {at}, 'DONE', 1, ARRAY['sha256:`+ended+`']);
		INSERT INTO skill_record (id, official_id, ability, level, evidence, assessor_unit_id, at) VALUES ({skill}, {official}, 'REFORM', 3, 'sha256:`+serving+`', {unit}, {at});`)

	kept := []string{young, open, late, twice, shared, running, serving}
	due, err := a.chores.RetentionDue(t.Context(), groundwork.KeepEvidenceFile, a.asOf)
	require.NoError(t, err)
	require.EqualValues(t, 3, due)
	for _, sum := range append(kept, past, unnamed, ended) {
		require.True(t, a.lies(sum), "a dry run changes nothing")
	}
	require.EqualValues(t, 0, a.ask("SELECT count(*) FROM retention.deleted_file"))
	require.Equal(t, 3, a.sweep()[groundwork.KeepEvidenceFile])
	for _, sum := range []string{past, unnamed, ended} {
		require.False(t, a.lies(sum))
		require.Equal(t, "24|3", a.ask("SELECT months || '|' || (SELECT count(*) FROM retention.deleted_file) FROM retention.deleted_file WHERE sha256 = $1 AND deleted_at >= marked_at AND media_type = 'image/png' AND size > 0", sum))
		f, err := a.EvidenceFile(t.Context(), groundwork.Actor{ID: "handler", Role: groundwork.RoleHandler, Everywhere: true}, sum)
		require.NoError(t, err)
		require.Nil(t, f)
	}
	for _, sum := range kept {
		require.True(t, a.lies(sum))
		require.NotNil(t, a.ask("SELECT max(size) FROM evidence_file WHERE sha256 = $1", sum))
	}
	require.EqualValues(t, 1, a.ask("SELECT count(*) FROM claim WHERE evidence @> ARRAY['sha256:' || $1]", past), "the hash is kept")
	require.EqualValues(t, 3, a.ask(`SELECT sum(affected)::bigint FROM audit.entry WHERE operation = 'retention' AND noun = 'retention.deleted_file' AND action = 'UPDATE' AND purpose LIKE 'EVIDENCE_FILE: kept 24 months, as of %'`))
	require.EqualValues(t, 3, a.ask(`SELECT sum(affected)::bigint FROM audit.entry WHERE operation = 'retention' AND noun = 'evidence_file' AND action = 'DELETE' AND purpose LIKE 'EVIDENCE_FILE: %'`))
	entries := a.ask("SELECT count(*) FROM audit.entry")
	require.Empty(t, a.sweep())
	require.Equal(t, entries, a.ask("SELECT count(*) FROM audit.entry"), "a second run does nothing")
	require.Empty(t, a.audited().Faults)

	// The shared one goes with the last that needs it; a hold keeps it.
	owner := pgtest.Open(t, a.dsn, postgres.Options{})
	ref := a.ask("SELECT i.public_ref FROM issue i JOIN claim c ON c.issue_id = i.id WHERE c.evidence @> ARRAY['sha256:' || $1]", young).(string)
	require.NoError(t, owner.SetRetention(t.Context(), groundwork.RetentionRule{Kind: groundwork.KeepEvidenceFile, Months: 22}))
	require.NoError(t, owner.PlaceHold(t.Context(), groundwork.LegalHold{PublicRef: ref, Reason: "suit 2026-118"}))
	require.Equal(t, 1, a.sweep()[groundwork.KeepEvidenceFile], "the one that nobody named")
	require.NoError(t, owner.LiftHold(t.Context(), ref))
	require.Equal(t, 2, a.sweep()[groundwork.KeepEvidenceFile])
	require.False(t, a.lies(shared) || a.lies(young) || a.lies(late))
	require.True(t, a.lies(twice) && a.lies(open) && a.lies(running) && a.lies(serving))

	// Nobody refers to what is gone; who brings it again has it.
	const claim = "INSERT INTO claim (id, issue_id, n, text, source, claimed_at, evidence) SELECT gen_random_uuid(), id, 2, 'x', 'x', now(), ARRAY['sha256:' || $1] FROM issue WHERE state = 'IN_PROGRESS' RETURNING 1"
	_, err = a.sql(claim, past)
	require.ErrorContains(t, err, "put it to /files again")
	require.Equal(t, past, a.file("mei", "handler", 0))
	_, err = a.sql(claim, past)
	require.NoError(t, err)
	require.NotContains(t, a.sweep(), groundwork.KeepEvidenceFile)
	require.True(t, a.lies(past))
}

// Whatever fails between the mark and the store, the next run does the rest.
func TestRetentionOfFilesHeals(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	sum, other := a.file("a hole in the road", "handler", 25), a.file("another", "handler", 25)
	run := func() (int, error) {
		return a.chores.ApplyRetention(t.Context(), groundwork.KeepEvidenceFile, a.asOf)
	}
	due := func() int64 {
		n, err := a.chores.RetentionDue(t.Context(), groundwork.KeepEvidenceFile, a.asOf)
		require.NoError(t, err)
		return n
	}
	pending := func() any { return a.ask("SELECT count(*) FROM retention.deleted_file WHERE deleted_at IS NULL") }

	a.shelf.refuses = errors.New("the bucket does not answer")
	n, err := run()
	require.ErrorContains(t, err, "the bucket does not answer")
	require.Zero(t, n)
	require.True(t, a.lies(sum) && a.lies(other), "marked, and there")
	require.EqualValues(t, 2, pending())
	require.EqualValues(t, 2, due(), "what is marked is still to be done")
	f, err := a.EvidenceFile(t.Context(), groundwork.Actor{ID: "handler", Role: groundwork.RoleHandler, Everywhere: true}, sum)
	require.NoError(t, err)
	require.Nil(t, f, "and nobody finds it any more")

	// Somebody brings one of them again, before the next run.
	a.file("another", "handler", 0)
	require.EqualValues(t, 1, pending())

	a.shelf.refuses, a.shelf.forgets = nil, errors.New("killed before it was noted")
	_, err = run()
	require.ErrorContains(t, err, "killed")
	require.False(t, a.lies(sum), "gone, and not noted")
	require.EqualValues(t, 1, pending())
	a.shelf.forgets = nil
	n, err = run()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.EqualValues(t, 0, pending())
	require.Zero(t, due())
	require.True(t, a.lies(other))

	// Lost in the store before anybody marked it.
	lost := a.file("lost", "handler", 25)
	require.NoError(t, a.shelf.Disk.Delete(t.Context(), lost))
	n, err = run()
	require.NoError(t, err)
	require.Equal(t, 1, n)

	// The store comes back from a backup with two that were deleted; one of them has been brought again.
	owner := pgtest.Open(t, a.dsn, postgres.Options{})
	for _, content := range []string{"a hole in the road", "lost"} {
		_, _, err = a.shelf.Put(t.Context(), strings.NewReader(content), 100)
		require.NoError(t, err)
	}
	a.file("lost", "handler", 0)
	again, err := owner.DeleteFilesAgain(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, again)
	n, err = run()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, a.lies(sum))
	require.True(t, a.lies(lost))

	// A store that is not there at all is not taken for one where all is deleted.
	a.file("on another machine", "handler", 25)
	there := a.shelf.Dir
	a.shelf.Dir = filepath.Join(there, "elsewhere")
	_, err = run()
	require.ErrorContains(t, err, "elsewhere")
	require.EqualValues(t, 1, pending())
	_, err = a.open(postgres.RoleJobs).ApplyRetention(t.Context(), groundwork.KeepEvidenceFile, a.asOf)
	require.ErrorContains(t, err, "--files")
	a.shelf.Dir = there
	n, err = run()
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// Who forgets a reporter forgets who brought the file, too, which others may still need.
func TestRetentionForgetsWhoBroughtFiles(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.old("mei", 25, true)
	a.old("li", 25, true)
	a.load(1, "INSERT INTO role_binding (id, account, role, valid_from) VALUES ({binding}, 'li', 'INTAKE', {at});")
	a.file("x", "mei", 2)
	a.file("x", "li", 2)
	a.file("x", "chen", 2)
	require.Equal(t, 2, a.sweep()[groundwork.KeepReporterIdentity])
	require.Equal(t, "chen erased li", a.ask("SELECT string_agg(recorded_by, ' ' ORDER BY recorded_by) FROM evidence_file"))
}

// The doors to files are for the chores, and a mark is no key to files that are not due.
func TestOnlyTheChoresDeleteFiles(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.file("x", "handler", 25)
	for _, role := range []string{postgres.RoleApp, postgres.RoleETL, postgres.RoleAuditor, postgres.RoleVault} {
		conn := connectAs(t, a.dsn, role)
		for _, sql := range []string{"SELECT retention.marked_file('x')", "SELECT retention.file_is_deleted('x', now())", "DELETE FROM evidence_file", "SELECT * FROM retention.deleted_file"} {
			require.True(t, refused(t, conn, sql), "%s: %s", role, sql)
		}
	}
	chores := connectAs(t, a.dsn, postgres.RoleJobs)
	for _, sql := range []string{"DELETE FROM evidence_file", "INSERT INTO retention.deleted_file SELECT 'x', 1, 'x', now(), 1, now()", "UPDATE retention.deleted_file SET deleted_at = now()", "SELECT retention.mark_files(now(), now(), 1)", "SELECT retention.issue_words('{}')"} {
		require.True(t, refused(t, chores, sql), sql)
	}
}

// Where there are free texts: each either goes by some kind, or stays for the reason given here. A new one is to be put in one of the lists.
func TestEveryTextGoesOrStays(t *testing.T) {
	t.Parallel()
	goes := map[groundwork.RetentionKind]string{
		groundwork.KeepOpinionWords:     "opinion.subject opinion.text",
		groundwork.KeepIssueWords:       "issue.title issue_event.payload issue_event.reason feedback.comment claim.text claim.legal_basis claim.appeal_notice claim.receipt claim.evidence",
		groundwork.KeepVisitWords:       "visit.note_text",
		groundwork.KeepPostWords:        "discussion_post.text discussion_post.withheld_reason",
		groundwork.KeepHistoryReasons:   "entity_event.reason",
		groundwork.KeepReporterIdentity: "issue_event.actor issue_opinion.linked_by mutation_receipt.actor mutation_receipt.client_mutation_id mutation_receipt.operation mutation_receipt.sha256",
	}
	stays := map[string]string{
		"what an office made known in its own name": "policy.title policy_change.summary policy_version.text policy_evaluation.text discussion.topic discussion.outcome campaign.topic campaign.selection_rule campaign_task.title " +
			"campaign_task.evidence training.title survey_wave.title rota_plan.name assessment_cycle.name dispatch_rule.basis calendar_day.note",
		"the record of officials, who are pseudonyms in it; their names go by OFFICIAL_NAME": "official.pseudonym formalism_flag.reviewer formalism_flag.finding formalism_flag.evidence assessment.reviewer assessment.comment assessment.reply assessment.conclusion " +
			"assessment.appeal assessment.decision assessment.decider assessment.frozen assessment.frozen_sha256 skill_record.evidence entity_event.actor claim.signed_by claim.reviewed_by notification.read_by",
		"the record of who looked behind confidence, as the audit": "glass.account glass.role glass.reason glass.revoked_by role_binding.account research_question.account api_key.scopes",
		"how an import finds its rows again":                       "opinion.external_id import_batch.source import_batch.file_name import_batch.sha256 bulk_load.source bulk_load.parameters bulk_load.index_names bulk_load.index_defs",
		"codes, ids and figures, no words": "entity_event.noun entity_event.kind entity_event.from_state entity_event.to_state entity_event.actor_role entity_event.payload survey_response.site_kind research_question.measure research_question.question " +
			"discussion_post.author_role notification.to_role notification.reason evidence_file.media_type measure_definition.definition_version measure_definition.fields measure_definition.sha256 measure_snapshot.measure measure_snapshot.question " +
			"measure_snapshot.cells measure_snapshot.sha256 measure_snapshot.taken_by_role target.number formalism_flag.detector",
	}
	var want []string
	for _, names := range goes {
		want = append(want, strings.Fields(names)...)
	}
	for _, names := range stays {
		want = append(want, strings.Fields(names)...)
	}
	conn := connectAs(t, pgtest.New(t), "postgres")
	rows, err := conn.Query(t.Context(), `SELECT format('%s.%s', c.table_name, c.column_name) FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND (c.data_type IN ('text', 'jsonb') OR c.udt_name = '_text') AND c.table_name <> 'goose_db_version' AND c.column_name <> 'recorded_by'
		AND NOT EXISTS (SELECT FROM pg_publication_tables p WHERE p.tablename = c.table_name AND c.column_name = ANY (p.attnames))
		AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = format('public.%I', c.table_name)::regclass AND k.contype = 'c' AND pg_get_constraintdef(k.oid) ~ (c.column_name || ' = ANY|' || c.column_name || ' ~ '))`)
	require.NoError(t, err)
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.ElementsMatch(t, want, texts)
}
