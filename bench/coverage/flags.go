package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
	"groundwork/etl"
	"groundwork/internal/app"
	"groundwork/internal/detect"
	"groundwork/internal/embedded"
	"groundwork/internal/simulate"
	"groundwork/postgres"
	"groundwork/warehouse"
)

// practice is a simulated province in a system of record, with a warehouse that has it, both of their own.
type practice struct {
	dir      string
	postgres *embedded.Postgres
	engine   *embedded.Engine
	store    *postgres.DB
	house    *warehouse.DB
	cfg      simulate.Config
	world    *simulate.Simulation
	truth    simulate.Truth
	copied   map[uuid.UUID]bool // visits whose note was found to be a copy
}

// newPractice simulates three years, has the chore compare all notes, and replicates everything.
func newPractice(ctx context.Context, binary string, seed uint64, issues int64) (p *practice, err error) {
	p = &practice{cfg: simulate.Config{Issues: issues, Seed: seed, From: simulate.Day(2023, time.January, 1), To: simulate.Day(2026, time.January, 16), Calendar: groundwork.Calendar{}}}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.world, err = simulate.New(p.cfg); err != nil {
		return p, err
	}
	if p.truth, err = p.world.Truth(); err != nil {
		return p, err
	}
	if p.dir, err = os.MkdirTemp("", "bench-coverage"); err != nil {
		return p, err
	}
	if err := os.Chmod(p.dir, 0o711); err != nil { // Postgres runs as another user where this runs as root
		return p, err
	}
	if p.engine, err = embedded.StartEngine(ctx, embedded.EngineConfig{DataDir: filepath.Join(p.dir, "clickhouse"), Executable: binary}); err != nil {
		return p, err
	}
	if p.postgres, err = embedded.StartPostgres(ctx, embedded.PostgresConfig{DataDir: filepath.Join(p.dir, "postgres")}); err != nil {
		return p, err
	}
	return p, errors.Join(p.fill(ctx), p.compareNotes(ctx), p.replicate(ctx))
}

func (p *practice) close() {
	if p.store != nil {
		p.store.Close()
	}
	if p.house != nil {
		_ = p.house.Close()
	}
	if p.engine != nil {
		_ = p.engine.Stop(context.Background())
	}
	if p.postgres != nil {
		_ = p.postgres.Stop(context.Background())
	}
	_ = os.RemoveAll(p.dir)
}

func (p *practice) dsn() string { return p.postgres.DSN("practice") }

func (p *practice) fill(ctx context.Context) (err error) {
	conn, err := pgx.Connect(ctx, p.postgres.DSN("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE practice")
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return err
	}
	if _, err := postgres.Migrate(ctx, p.dsn()); err != nil {
		return err
	}
	job := app.SimulateJob{Config: app.Config{Postgres: p.dsn()}, Simulation: p.cfg, Truth: filepath.Join(p.dir, "truth.json"), Quiet: true, Out: io.Discard, ErrOut: io.Discard}
	if err := job.Run(ctx); err != nil {
		return err
	}
	p.store, err = postgres.Open(ctx, p.dsn(), postgres.Options{})
	return err
}

// compareNotes runs the chore that does so until nothing is left, and reads what it found.
func (p *practice) compareNotes(ctx context.Context) error {
	if p.store == nil { // fill failed, and said so
		return nil
	}
	chores := p.store.Chores()
	chore := chores[slices.IndexFunc(chores, func(c groundwork.Chore) bool { return c.Name == "note_check" })]
	for n := 1; n > 0; {
		var err error
		if n, err = chore.Run(ctx, time.Now()); err != nil {
			return err
		}
	}
	conn, err := pgx.Connect(ctx, p.dsn())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT visit_id FROM note_check WHERE copied")
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	p.copied = setOf(ids)
	return err
}

func (p *practice) replicate(ctx context.Context) (err error) {
	if p.house, err = warehouse.Open(ctx, p.engine.DSN("practice")); err != nil {
		return err
	}
	if _, err := warehouse.Migrate(ctx, p.house, warehouse.Layout{}); err != nil {
		return err
	}
	r, err := etl.New(etl.Config{Postgres: p.dsn(), ClickHouse: p.house, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- r.Run(running) }()
	err = r.AwaitStreaming(ctx)
	stop()
	if fault := <-ended; err == nil && !errors.Is(fault, context.Canceled) {
		err = fault
	}
	return err
}

func setOf(ids []uuid.UUID) map[uuid.UUID]bool {
	set := map[uuid.UUID]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// compare adds what was named of what was planted.
func (f *found) compare(planted, named map[uuid.UUID]bool) {
	f.planted += len(planted)
	for id := range named {
		if planted[id] {
			f.hit++
			f.right++
		} else {
			f.wrong++
		}
	}
}

// planted are the subjects whose habit the detector is to find, of those who are there in its time.
func (p *practice) planted(d detect.Detector, from time.Time) map[uuid.UUID]bool {
	posts := map[string][]simulate.TruthPost{"F1": p.truth.Traceless, "F3": p.truth.CopiedNotes, "F4": p.truth.BunchedVisits, "F6": p.truth.Showcases, "F7": p.truth.Unnoted}
	units := map[string][]simulate.TruthUnit{"withoutCitizen": p.truth.Verdicts, "instant": p.truth.Instant, "lineShare": p.truth.OnTheLine, "falseShare": p.truth.Untrue}
	set := map[uuid.UUID]bool{}
	if d.By == warehouse.ByUnit {
		for _, u := range units[d.Column] {
			set[u.Unit] = true
		}
		return set
	}
	left := map[uuid.UUID]bool{}
	for _, h := range p.world.Foundation().Posts {
		left[h.ID] = h.HeldTo != nil && !h.HeldTo.After(from)
	}
	for _, post := range posts[d.Measure] {
		if !left[post.Post] {
			set[post.Post] = true
		}
	}
	return set
}

// silent are the townships that the measure says are so.
func (p *practice) silent(ctx context.Context, m *warehouse.Measures) (map[uuid.UUID]bool, error) {
	table, err := m.Ask(ctx, "H5", warehouse.Question{Reviewer: true, Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: string(groundwork.Township), Limit: 10_000}})
	if err != nil {
		return nil, err
	}
	set := map[uuid.UUID]bool{}
	for i, key := range table.Dims[0].Keys {
		if id, err := uuid.Parse(key.ID); err == nil && table.Flags["silent"][i] {
			set[id] = true
		}
	}
	return set, nil
}

// reportFlags has the detectors look at the last quarter of simulated provinces, and compares what they flag with what is planted.
func reportFlags(ctx context.Context, binary string, seeds int, issues int64) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	from, to := simulate.Day(2025, time.October, 1), simulate.Day(2026, time.January, 1)
	each := make([]found, len(detect.Detectors))
	var notes, silence found
	for seed := range seeds {
		err := func() error {
			p, err := newPractice(ctx, binary, uint64(seed+1), issues)
			if err != nil {
				return err
			}
			defer p.close()
			m := warehouse.NewMeasures(p.house).Patient(time.Minute)
			flags, err := detect.Find(ctx, m, from, to, p.cfg.To)
			if err != nil {
				return err
			}
			for i, d := range detect.Detectors {
				named := map[uuid.UUID]bool{}
				for _, f := range flags {
					if f.Detector != d.Name() {
						continue
					}
					if f.SubjectPostID != nil {
						named[*f.SubjectPostID] = true
					} else {
						named[*f.SubjectUnitID] = true
					}
				}
				each[i].compare(p.planted(d, d.Since(from, to)), named)
			}
			copies := map[uuid.UUID]bool{}
			for _, post := range p.truth.CopiedNotes {
				for _, v := range post.Visits {
					copies[v] = true
				}
			}
			notes.compare(copies, p.copied)
			silent, err := p.silent(ctx, m)
			if err != nil {
				return err
			}
			townships := map[uuid.UUID]bool{}
			for _, t := range p.truth.Silent {
				townships[t.Region] = true
			}
			silence.compare(townships, silent)
			return nil
		}()
		if err != nil {
			return fmt.Errorf("province %d: %w", seed+1, err)
		}
	}
	fmt.Printf("\n%d provinces of %d issues\n\n| detector | planted | found | recall | named | of them true | precision |\n|---|---:|---:|---:|---:|---:|---:|\n", seeds, issues)
	for i, d := range detect.Detectors {
		each[i].row(d.Name())
	}
	notes.row("F3, notes that are copies")
	silence.row("H5, silent townships")
	return nil
}
