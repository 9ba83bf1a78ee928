package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"groundwork/internal/embedded"
	"groundwork/warehouse"
)

// generated is a warehouse filled straight by SQL, for numbers of issues that a simulation with histories would take hours for, and a Postgres with
// the same issues and regions. It measures reading; nothing is replicated.
type generated struct {
	dir      string
	engine   *embedded.Engine
	postgres *embedded.Postgres
	ch       *warehouse.DB
	conn     *pgx.Conn
}

const scratch = "bench"

// generate starts both engines, or the warehouse alone, and fills them with n issues.
func generate(ctx context.Context, binary string, n int64, alone bool) (g *generated, err error) {
	g = &generated{}
	defer func() {
		if err != nil {
			g.close()
		}
	}()
	if g.dir, err = os.MkdirTemp("", "bench-measures"); err != nil {
		return g, err
	}
	if err := os.Chmod(g.dir, 0o711); err != nil { // Postgres runs as another user where this runs as root
		return g, err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return g, err
	}
	if g.engine, err = embedded.StartEngine(ctx, embedded.EngineConfig{DataDir: filepath.Join(g.dir, "clickhouse"), Executable: binary}); err != nil {
		return g, err
	}
	if g.ch, err = warehouse.Open(ctx, g.engine.DSN(scratch)); err != nil {
		return g, err
	}
	if _, err := warehouse.Migrate(ctx, g.ch, warehouse.Layout{}); err != nil {
		return g, err
	}
	say("generate %d issues", n)
	if err := g.fill(ctx, n); err != nil {
		return g, err
	}
	say("build the base")
	if _, err := (&warehouse.Keeper{DB: g.ch, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))}).Once(ctx); err != nil {
		return g, err
	}
	if alone {
		return g, nil
	}
	if g.postgres, err = embedded.StartPostgres(ctx, embedded.PostgresConfig{DataDir: filepath.Join(g.dir, "postgres"), Settings: map[string]string{"max_wal_size": "8GB", "shared_buffers": "512MB"}}); err != nil {
		return g, err
	}
	if g.conn, err = pgx.Connect(ctx, g.postgres.DSN("postgres")); err != nil {
		return g, err
	}
	say("copy them to Postgres")
	return g, g.copyToPostgres(ctx)
}

func (g *generated) close() {
	if g.conn != nil {
		_ = g.conn.Close(context.Background())
	}
	if g.ch != nil {
		_ = g.ch.Close()
	}
	var errs []error
	if g.postgres != nil {
		errs = append(errs, g.postgres.Stop(context.Background()))
	}
	if g.engine != nil {
		errs = append(errs, g.engine.Stop(context.Background()))
	}
	if err := errors.Join(append(errs, os.RemoveAll(g.dir))...); err != nil {
		fmt.Fprintln(os.Stderr, "measures:", err)
	}
}

// Places: a province of 7 prefectures of 6 counties of 10 townships of 48 villages. Issues lie at townships.
const (
	places = `SELECT number AS n, intDiv(n, 60) + 1 AS p, intDiv(n, 10) % 6 + 1 AS c, n % 10 + 1 AS t,
		concat('35', leftPad(toString(p), 2, '0'), '00000000') AS prefecture, concat('35', leftPad(toString(p), 2, '0'), leftPad(toString(c), 2, '0'), '000000') AS county,
		concat('35', leftPad(toString(p), 2, '0'), leftPad(toString(c), 2, '0'), leftPad(toString(t), 3, '0'), '000') AS town FROM numbers(420)`
	idOf = "reinterpretAsUUID(sipHash128(%s))"
	// issueID is a UUIDv7 of the origin of the issue with a number, as the system of record makes them. Its second half is the upper one of the number that it is made of.
	issueID = `reinterpretAsUUID(bitShiftLeft(toUInt128(bitOr(toUInt64(9223372036854775808), bitShiftRight(cityHash64(number, 5), 2))), 64)
	+ toUInt128(bitShiftLeft(toUInt64(1672531200000 + intDiv(modulo(cityHash64(number, 1), 94608000000000), 1000)), 16) + 28672 + modulo(cityHash64(number, 6), 4096)))`
)

// issueRows makes issues of which some never end, times that have no pattern but a long tail, causes as they come, and sites.
const issueRows = `WITH cityHash64(number, 1) AS a, cityHash64(number, 2) AS b, cityHash64(number, 3) AS c,
	toDateTime64('2023-01-01 00:00:00', 6, 'UTC') + toIntervalMicrosecond(a %% 94608000000000) AS origin,
	toInt64(-864000000000 * log((b %% 1000000 + 1) / 1000001)) AS wait,
	origin + toIntervalMicrosecond(intDiv(wait, 5)) AS responded, origin + toIntervalMicrosecond(wait) AS claimed, origin + toIntervalMicrosecond(wait + c %% 1209600000000) AS ended,
	c %% 100 AS dice
SELECT ` + issueID + `, toString(number), reinterpretAsUUID(sipHash128('category', b %% 60)), ['LOW', 'NORMAL', 'HIGH', 'URGENT'][a %% 4 + 1], 'ROUTINE',
	['COMPLAINT', 'HELP', 'SUGGESTION'][b %% 3 + 1], ['HOTLINE', 'VISIT', 'MESSAGE_BOARD', 'WEB'][c %% 4 + 1],
	reinterpretAsUUID(sipHash128('region', town[toUInt16(a %% 420) + 1])), origin, dice < 90 ? toNullable(responded) : NULL, dice < 85 ? toNullable(claimed) : NULL,
	dice < 50 ? toNullable(claimed) : NULL, dice < 75 ? toNullable(ended) : NULL, multiIf(dice < 50, 'CONFIRMED', dice < 60, 'EXPLAINED', dice < 68, 'UNCONFIRMED', dice < 75, 'WITHDRAWN', NULL),
	multiIf(dice < 75, 'CLOSED', dice < 85, 'CLAIMED', 'IN_PROGRESS'), origin + toIntervalDay(30), 1 + b %% 3, origin, origin, bitShiftLeft(toUInt128(1), 64), 0,
	if(cityHash64(number, 7) %% 10 < 6, toNullable(reinterpretAsUUID(sipHash128('site', toUInt64(%d * pow(cityHash64(number, 8) / 18446744073709551616, 2))))), NULL)
FROM numbers(%d, %d)`

// issuesOfSite is how many issues there are to a site. Six in ten arise at one, at some much more often than at others.
const issuesOfSite = 300

// histories make a claim of each issue that has one by now, an attempt to reach somebody about nine in ten of them, a verdict with a rating of six in ten, a leg of each issue, of which
// every tenth was returned, and a closing of what is closed, of which every tenth was reopened.
var histories = []string{
	"INSERT INTO f_claim (id, issue_id, n, kind, source, claimed_at, claimed_precision, created_at, _ver) SELECT " + claimID + ", id, 1, 'FIXED', 'groundwork', assumeNotNull(claimed_at), 'SECOND', assumeNotNull(claimed_at), _ver" +
		" FROM f_issue WHERE claimed_at < toDateTime64('2025-12-31 00:00:00', 6, 'UTC')",
	"INSERT INTO f_callback_attempt (id, claim_id, at, method, outcome, created_at, _ver) SELECT reinterpretAsUUID(sipHash128('attempt', id)), " + claimID + ", claimed_at + toIntervalDay(1), 'PHONE'," +
		" if(cityHash64(id) % 10 < 7, 'ANSWERED', 'NO_ANSWER'), claimed_at + toIntervalDay(1), _ver FROM f_issue WHERE claimed_at < toDateTime64('2025-12-31 00:00:00', 6, 'UTC') AND cityHash64(id) % 10 < 9",
	"INSERT INTO f_feedback (id, claim_id, issue_id, resolved, satisfaction, pressured, collected_by, at, created_at, _ver) SELECT reinterpretAsUUID(sipHash128('feedback', id)), " + claimID + ", id," +
		" ['YES', 'YES', 'YES', 'PARTLY', 'NO'][cityHash64(id, 1) % 5 + 1], 1 + cityHash64(id, 2) % 5, 'NO', 'INDEPENDENT', claimed_at + toIntervalDay(1), claimed_at + toIntervalDay(1), _ver" +
		" FROM f_issue WHERE claimed_at < toDateTime64('2025-12-31 00:00:00', 6, 'UTC') AND cityHash64(id) % 10 < 6",
	"INSERT INTO f_dispatch_leg (issue_id, n, role, sent_at, accepted_at, returned_at, _ver) SELECT id, 1, 'LEAD', origin_at, origin_at + toIntervalHour(4), if(cityHash64(id, 3) % 10 = 0, toNullable(origin_at + toIntervalDay(1)), NULL), _ver" +
		" FROM f_issue WHERE 1",
	"INSERT INTO f_issue_event (issue_id, seq, kind, to_state, at, known_at, recorded_at, origin_at, _ver) SELECT id, seq, ['CLOSED', 'REOPENED'][seq], ['CLOSED', 'IN_PROGRESS'][seq], assumeNotNull(closed_at) + toIntervalDay(20 * (seq - 1)) AS moment, moment, moment," +
		" origin_at, _ver FROM f_issue ARRAY JOIN range(1, if(cityHash64(id, 4) % 10 = 0, 3, 2)) AS seq WHERE closed_at < toDateTime64('2025-12-01 00:00:00', 6, 'UTC')",
}

const claimID = "reinterpretAsUUID(sipHash128('claim', id))"

// atOnce is how many rows one statement makes: of more the engine would not answer in time.
const atOnce = 5_000_000

func (g *generated) fill(ctx context.Context, n int64) error {
	region := fmt.Sprintf(idOf, "'region', code")
	level := func(level, code, path string) string {
		return "SELECT DISTINCT " + code + " AS code, '" + level + "' AS level, " + path + " AS path FROM (" + places + ")"
	}
	statements := []string{
		"INSERT INTO d_region (id, code, level, path, name, _ver) SELECT " + region + ", code, level, path, code, bitShiftLeft(toUInt128(1), 64) FROM (" +
			strings.Join([]string{"SELECT '350000000000' AS code, 'PROVINCE' AS level, code AS path", level("PREFECTURE", "prefecture", "concat('350000000000.', prefecture)"),
				level("COUNTY", "county", "concat('350000000000.', prefecture, '.', county)"), level("TOWNSHIP", "town", "concat('350000000000.', prefecture, '.', county, '.', town)"),
				"SELECT concat(substring(town, 1, 9), leftPad(toString(arrayJoin(range(1, 49))), 3, '0')) AS code, 'VILLAGE_COMMITTEE' AS level, concat('350000000000.', prefecture, '.', county, '.', town, '.', code) AS path FROM (" + places + ")"}, " UNION ALL ") + ")",
		"INSERT INTO d_population (region_id, year, persons, _ver) SELECT id, 2024, 200000 + cityHash64(code) % 800000, _ver FROM d_region WHERE level = 'COUNTY'",
		"INSERT INTO d_category (id, code, name, path, _ver) SELECT reinterpretAsUUID(sipHash128('category', number)), toString(number), toString(number), [toString(number)], bitShiftLeft(toUInt128(1), 64) FROM numbers(60)",
		"INSERT INTO etl_checkpoint (pipeline, epoch, seq, applied_lsn, commit_time) SELECT 'main', 1, 1, 1, toDateTime64('2026-01-01 00:00:00', 6, 'UTC')",
	}
	for from := int64(0); from < n; from += atOnce {
		rows := min(atOnce, n-from)
		statements = append(statements,
			"INSERT INTO f_issue (id, public_ref, category_id, severity, difficulty, kind, channel, region_id, origin_at, first_response_at, claimed_at, resolved_at, closed_at, closure_type, state, due_at, opinion_count, updated_at, created_at, _ver, _deleted, site_id) "+
				strings.Replace(fmt.Sprintf(issueRows, max(n/issuesOfSite, 1), from, rows), "WITH ", "WITH (SELECT groupArray(town) FROM ("+places+")) AS town, ", 1),
			// Each issue has an opinion, of a reporter who on average has spoken of three.
			fmt.Sprintf("INSERT INTO f_opinion (id, channel, kind, received_at, reporter_pid, _ver) SELECT "+idOf+", 'HOTLINE', 'COMPLAINT', toDateTime64('2025-06-01 00:00:00', 6, 'UTC'), "+idOf+", bitShiftLeft(toUInt128(1), 64) FROM numbers(%d, %d)",
				"'opinion', number", fmt.Sprintf("'reporter', cityHash64(number, 4) %% %d", max(n/3, 1)), from, rows),
			fmt.Sprintf("INSERT INTO f_issue_opinion (issue_id, opinion_id, linked_at, _ver) SELECT "+issueID+", "+idOf+", toDateTime64('2025-06-01 00:00:00', 6, 'UTC'), bitShiftLeft(toUInt128(1), 64) FROM numbers(%d, %d)", "'opinion', number", from, rows))
	}
	for from := int64(0); from < n; from += atOnce {
		for _, text := range histories {
			statements = append(statements, text+fmt.Sprintf(" AND toInt64(public_ref) >= %d AND toInt64(public_ref) < %d", from, from+atOnce))
		}
	}
	for i, s := range statements {
		if err := g.ch.Exec(ctx, s); err != nil {
			return fmt.Errorf("%.60s: %w", s, err)
		}
		if i%10 == 9 {
			say("%d of %d inserts", i+1, len(statements))
		}
	}
	return nil
}

// tables are in Postgres what the headline aggregates read, with the indexes that the system of record has on them.
var tables = []struct{ make, from, to string }{
	{`CREATE TABLE region (id uuid PRIMARY KEY, code text, level text, path ltree)`, "SELECT id, code, level, path FROM d_region FINAL", "region (id, code, level, path)"},
	{`CREATE TABLE issue (id uuid PRIMARY KEY, region_id uuid, category_id uuid, state text, closure_type text, origin_at timestamptz, first_response_at timestamptz, claimed_at timestamptz,
		resolved_at timestamptz, closed_at timestamptz, opinion_count int)`,
		"SELECT id, region_id, category_id, state, closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, opinion_count FROM f_issue",
		"issue (id, region_id, category_id, state, closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, opinion_count)"},
}

// copyToPostgres lets the engine's CSV be Postgres' COPY.
func (g *generated) copyToPostgres(ctx context.Context) error {
	if _, err := g.conn.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS ltree"); err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := g.conn.Exec(ctx, table.make); err != nil {
			return err
		}
		if err := g.copy(ctx, table.from, table.to); err != nil {
			return fmt.Errorf("copy %s: %w", table.to, err)
		}
	}
	for _, s := range []string{"CREATE INDEX ON region USING gist (path)", "CREATE INDEX ON issue (region_id)", "CREATE INDEX ON issue (origin_at)", "VACUUM ANALYZE"} {
		if _, err := g.conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (g *generated) copy(ctx context.Context, from, to string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.engine.URL()+"/?database="+scratch+"&max_execution_time=0", strings.NewReader(from+" FORMAT CSV"))
	if err != nil {
		return err
	}
	request.SetBasicAuth(embedded.EngineUser, g.engine.Password())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("%s: %s", response.Status, said)
	}
	_, err = g.conn.PgConn().CopyFrom(ctx, response.Body, "COPY "+to+` FROM STDIN (FORMAT csv, NULL '\N')`)
	return err
}

// used is the processor time, in milliseconds, that a process and those that it started have had, ended ones included.
func used(pid int) (total int64) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	for _, name := range stats {
		said, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(said[strings.LastIndexByte(string(said), ')')+1:]))
		number := func(i int) (n int64) { n, _ = strconv.ParseInt(fields[i], 10, 64); return n }
		switch own := name == fmt.Sprintf("/proc/%d/stat", pid); {
		case own:
			total += number(11) + number(12) + number(13) + number(14)
		case number(1) == int64(pid):
			total += number(11) + number(12)
		}
	}
	return total * 10 // ticks of a hundredth of a second, on every Linux that Go knows
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}
