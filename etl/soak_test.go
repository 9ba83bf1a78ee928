package etl

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/internal/embedded"
	"groundwork/internal/embedded/embeddedtest"
)

// TestSoak breaks everything in turn, under a load of writes, and after each round demands that both sides are equal, by verify and row
// by row. GROUNDWORK_SOAK_ROUNDS says how many rounds (`make soak` does 200), GROUNDWORK_ETL_SEED repeats a run.
func TestSoak(t *testing.T) {
	t.Parallel()
	rounds, seed := 3, uint64(time.Now().UnixNano())
	for name, into := range map[string]func(uint64){
		"GROUNDWORK_SOAK_ROUNDS": func(n uint64) { rounds = int(n) }, "GROUNDWORK_ETL_SEED": func(n uint64) { seed = n },
	} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 64)
			require.NoError(t, err, name)
			into(n)
		}
	}
	t.Logf("GROUNDWORK_ETL_SEED=%d GROUNDWORK_SOAK_ROUNDS=%d", seed, rounds)
	s := newSoak(t, seed)
	for round := range rounds {
		if round%len(faults) == 0 { // each fault once before any comes again
			s.random.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
		}
		s.round(round, s.order[round%len(faults)])
	}
	t.Logf("%d rounds, zero differences; faults %s; writes %s", rounds, counts(s.met), counts(s.written))
}

// soak is a system of its own, all of whose parts are killed.
type soak struct {
	*rig
	random   *rand.Rand
	start    uint64 // the seed
	order    []int
	server   *embedded.Postgres
	settings embedded.PostgresConfig
	engine   *embedded.Engine
	engines  embedded.EngineConfig
	proxy    *proxy
	worker   *exec.Cmd
	met      map[string]int // faults
	tried    atomic.Int64   // transactions
	writing  atomic.Int64   // writers at work
	mu       sync.Mutex
	written  map[string]int // kinds of writes
}

func newSoak(t *testing.T, seed uint64) *soak {
	t.Helper()
	dir := openDir(t)
	s := &soak{start: seed, random: rand.New(rand.NewPCG(seed, 0)), met: map[string]int{}, written: map[string]int{},
		settings: embedded.PostgresConfig{DataDir: filepath.Join(dir, "postgres"), Fast: true}, engines: embeddedtest.EngineConfig(filepath.Join(dir, "clickhouse"))}
	for i := range faults {
		s.order = append(s.order, i)
	}
	var err error
	s.server, err = embedded.StartPostgres(t.Context(), s.settings)
	require.NoError(t, err)
	s.settings.Addr = s.server.Addr()
	t.Cleanup(func() { require.NoError(t, s.server.Stop(context.Background())) })
	s.engine, err = embedded.StartEngine(t.Context(), s.engines)
	require.NoError(t, err)
	s.engines.Addr = strings.TrimPrefix(s.engine.URL(), "http://")
	t.Cleanup(func() { require.NoError(t, s.engine.Stop(context.Background())) })
	s.rig = newRigBetween(t, s.server.DSN("postgres"), s.engine.DSN("soak"))
	s.proxy = newProxy(t, s.chURL)
	s.seedRows()
	s.work()
	return s
}

// seedRows makes rows to work on, among them long ones that Postgres stores apart.
func (s *soak) seedRows() {
	s.seed()
	s.exec(`ALTER TABLE post_holding ALTER COLUMN title SET STORAGE EXTERNAL`)
	s.exec(`UPDATE post_holding SET title = repeat('long ', 3000)`)
}

// work starts a replicator that reaches the warehouse through the proxy.
func (s *soak) work(environment ...string) {
	s.worker = s.child("", append(environment, "TEST_CLICKHOUSE="+s.proxy.url, "TEST_FLUSH_ROWS=400")...)
}

func (s *soak) endWorker(signal syscall.Signal) {
	require.NoError(s.t, s.worker.Process.Signal(signal))
	_ = s.worker.Wait()
}

func (s *soak) round(n, fault int) {
	f := faults[fault]
	s.met[f.name]++
	started := time.Now()
	var writers sync.WaitGroup
	for w := range 2 {
		random := rand.New(rand.NewPCG(s.start, uint64(1+10*n+w)))
		s.writing.Add(1)
		writers.Go(func() { defer s.writing.Add(-1); s.write(random) })
	}
	f.strike(s)
	writers.Wait()
	s.settle(n, f.name)
	s.t.Logf("round %d: %s, equal after %v", n, f.name, time.Since(started).Round(time.Millisecond))
}

// settle brings the parts back that are down, waits until the warehouse has everything and compares.
func (s *soak) settle(round int, fault string) {
	select {
	case <-s.engine.Done(): // killed too often for its supervisor
		var err error
		s.engine, err = embedded.StartEngine(context.Background(), s.engines)
		require.NoError(s.t, err)
	default:
	}
	if s.worker.ProcessState != nil {
		s.work()
	}
	var target = s.position()
	require.Eventually(s.t, func() bool {
		c, err := readCheckpoint(context.Background(), s.ch, "main")
		return err == nil && c.applied >= target
	}, 2*patience, 5*time.Millisecond, "round %d (%s), GROUNDWORK_ETL_SEED=%d", round, fault, s.start)
	s.requireSlotBehindCheckpoint()
	for table, v := range s.verify(VerifyOptions{}) {
		require.Empty(s.t, v.Differing, "%s after round %d (%s), GROUNDWORK_ETL_SEED=%d", table, round, fault, s.start)
		require.Zero(s.t, v.Unsettled)
	}
	s.requireEqual()
}

// write makes transactions of every kind; what fails because Postgres is down or two collide is part of the game.
func (s *soak) write(random *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range 10 {
		kind := kinds[random.IntN(len(kinds))]
		err := s.writeOne(ctx, random, kind)
		s.tried.Add(1)
		if err == nil {
			s.mu.Lock()
			s.written[kind]++
			s.mu.Unlock()
		}
	}
}

var kinds = []string{"mixed", "mixed", "mixed", "aborted", "large", "long values", "schema change", "large aborted"}

func (s *soak) writeOne(ctx context.Context, random *rand.Rand, kind string) error {
	tx, err := s.pg.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	// A server that is killed with locks held must not make the other writer wait for ever.
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '2s'"); err != nil {
		return err
	}
	switch kind {
	case "mixed", "aborted":
		step := schedule{rig: s.rig, random: random}
		for range 1 + random.IntN(5) {
			if err := step.step(ctx, tx); err != nil {
				return err
			}
		}
	case "large", "large aborted":
		_, err = tx.Exec(ctx, `INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'p' || random(), 'PARTY' FROM generate_series(1, 1500) i`)
	case "long values":
		err = s.writeLong(ctx, tx, random)
	case "schema change":
		name := fmt.Sprintf("scratch_%d", random.IntN(1000))
		_, err = tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE region_population ADD COLUMN %s int; UPDATE region_population SET persons = persons + 1; ALTER TABLE region_population DROP COLUMN %s`, name, name))
	}
	if err != nil || strings.HasSuffix(kind, "aborted") {
		return err
	}
	return tx.Commit(ctx)
}

// writeLong changes long values, and rows that leave them alone.
func (s *soak) writeLong(ctx context.Context, tx pgx.Tx, random *rand.Rand) error {
	_, err := tx.Exec(ctx, `UPDATE post_holding SET rank = CASE rank WHEN 'TOWNSHIP' THEN 'SECTION' ELSE 'TOWNSHIP' END`)
	if err == nil && random.IntN(4) == 0 { // with its key, too
		_, err = tx.Exec(ctx, `SET LOCAL session_replication_role = replica; UPDATE post_holding SET id = gen_random_uuid(); SET LOCAL session_replication_role = origin`)
	}
	if err == nil && random.IntN(2) == 0 {
		_, err = tx.Exec(ctx, fmt.Sprintf(`UPDATE post_holding SET title = repeat('%d ', 4000)`, random.IntN(1000)))
	}
	return err
}

// fault is one way in which the world breaks.
type fault struct {
	name   string
	strike func(*soak)
}

var faults = []fault{
	{"none", func(*soak) {}},
	{"replicator killed", func(s *soak) { s.pause(); s.endWorker(syscall.SIGKILL) }},
	{"replicator killed before an insert", func(s *soak) { s.dieAt(failBeforeInsert) }},
	{"replicator killed inside a large transaction", func(s *soak) { s.dieAt(failMidTransaction) }},
	{"replicator killed between tables", func(s *soak) { s.dieAt(failBetweenTables) }},
	{"replicator killed before the checkpoint", func(s *soak) { s.dieAt(failBeforeCheckpoint) }},
	{"replicator killed before the acknowledgement", func(s *soak) { s.dieAt(failBeforeAck) }},
	{"replicator stopped cleanly", func(s *soak) { s.pause(); s.endWorker(syscall.SIGTERM) }},
	{"replicator frozen", func(s *soak) {
		require.NoError(s.t, s.worker.Process.Signal(syscall.SIGSTOP))
		s.pause()
		require.NoError(s.t, s.worker.Process.Signal(syscall.SIGCONT))
	}},
	{"zombie beside its successor", (*soak).zombie},
	{"clock jumps under way", func(s *soak) {
		for range 3 {
			require.NoError(s.t, s.worker.Process.Signal(syscall.SIGUSR1))
			s.pause()
		}
	}},
	{"clock wrong at the start", func(s *soak) {
		s.endWorker(syscall.SIGTERM)
		s.work(fmt.Sprintf("TEST_CLOCK_OFFSET=%dh", s.random.IntN(2_000)-1_000))
	}},
	{"warehouse killed", func(s *soak) { s.pause(); _ = syscall.Kill(s.engine.PID(), syscall.SIGKILL) }},
	{"Postgres killed", (*soak).killPostgres},
	{"Postgres connections cut", func(s *soak) {
		s.pause()
		_, _ = s.pg.Exec(context.Background(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(application_name, 'groundwork etl')`)
	}},
	{"warehouse connections cut", func(s *soak) { s.proxy.cut(); s.pause(); s.proxy.mend() }},
	{"requests cut in the middle", func(s *soak) { s.proxy.set(func() { s.proxy.halve = 3 }); s.pause() }},
	{"replies lost after the insert", func(s *soak) { s.proxy.loseReplies(3); s.pause() }},
	{"requests delivered twice", func(s *soak) { s.proxy.set(func() { s.proxy.again = 6 }); s.pause() }},
	{"warehouse slow", func(s *soak) {
		s.proxy.set(func() { s.proxy.slow = 100 * time.Millisecond })
		s.pause()
		s.proxy.set(func() { s.proxy.slow = 0 })
	}},
	{"warehouse stalled", func(s *soak) { release := s.proxy.stall(); s.pause(); s.pause(); release() }},
	{"disk of the warehouse full", func(s *soak) {
		s.chExec("ALTER TABLE d_population MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1000000000000000")
		s.pause()
		s.chExec("ALTER TABLE d_population RESET SETTING min_free_disk_bytes_to_perform_insert")
	}},
	{"replicator killed in a load", func(s *soak) {
		s.endWorker(syscall.SIGKILL)
		dropSlot(s.t, s.dsn, s.slot)
		s.worker = s.child(failMidSnapshot, "TEST_CLICKHOUSE="+s.proxy.url, "TEST_FLUSH_ROWS=400")
		s.requireKilled(s.worker)
	}},
	{"slot lost", func(s *soak) { s.endWorker(syscall.SIGKILL); dropSlot(s.t, s.dsn, s.slot) }},
}

// pause lets the writers go on under the fault for some transactions, or until they are done.
func (s *soak) pause() {
	until := s.tried.Load() + 1 + int64(s.random.IntN(4))
	require.Eventually(s.t, func() bool { return s.tried.Load() >= until || s.writing.Load() == 0 }, patience, time.Millisecond)
}

// dieAt replaces the replicator by one that kills itself at the failpoint, if it gets there before the writers are done.
func (s *soak) dieAt(point string) {
	s.endWorker(syscall.SIGTERM)
	s.worker = s.child(point, "TEST_CLICKHOUSE="+s.proxy.url, "TEST_FLUSH_ROWS=400")
	if point == failMidTransaction {
		s.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'p' || random(), 'PARTY' FROM generate_series(1, 1500) i`)
	}
	s.exec(`UPDATE region SET name = name || '.' WHERE parent_id IS NOT NULL`)
	s.exec(`UPDATE region SET name = left(name, 5)`)
	s.requireKilled(s.worker)
}

// zombie freezes the replicator, cuts it off, lets another one work and wakes the first.
func (s *soak) zombie() {
	old := s.worker
	require.NoError(s.t, old.Process.Signal(syscall.SIGSTOP))
	_, _ = s.pg.Exec(context.Background(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(application_name, 'groundwork etl')`)
	s.work()
	s.pause()
	require.NoError(s.t, old.Process.Signal(syscall.SIGCONT))
	s.pause()
	require.NoError(s.t, old.Process.Signal(syscall.SIGKILL))
	_ = old.Wait()
}

func (s *soak) killPostgres() {
	s.pause()
	require.NoError(s.t, syscall.Kill(s.server.PID(), syscall.SIGKILL))
	<-s.server.Done()
	server, err := embedded.StartPostgres(context.Background(), s.settings)
	require.NoError(s.t, err)
	s.server = server
	s.pg.Reset() // its connections ended with the old server
	require.Eventually(s.t, func() bool { return s.pg.Ping(context.Background()) == nil }, patience, 10*time.Millisecond)
}

func counts(m map[string]int) string {
	var parts []string
	for name, n := range m {
		parts = append(parts, fmt.Sprintf("%s: %d", name, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// newRigBetween is a rig on two servers of the test's own.
func newRigBetween(t *testing.T, admin, chURL string) *rig {
	t.Helper()
	makeTemplate(t, admin)
	return newRigFrom(t, admin, template, chURL)
}
