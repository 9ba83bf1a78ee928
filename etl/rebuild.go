package etl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// RebuildTable is a mirror that is, or would be, built anew.
type RebuildTable struct {
	Table       string  `json:"table"`
	Mirror      string  `json:"mirror"`
	State       string  `json:"state"` // planned, waiting, rebuilding, done, failed
	Rows        int64   `json:"rows"`  // brought over; of a plan, what the mirror has now, older states included
	Bytes       int64   `json:"bytes"` // of the table in Postgres
	BytesDone   int64   `json:"bytes_done"`
	MirrorBytes int64   `json:"mirror_bytes"` // what the second copy will take, about
	Seconds     float64 `json:"seconds"`
	Fault       string  `json:"fault,omitempty"`
}

// PlanRebuild tells what Rebuild would do, and changes nothing. No tables = all.
func (o *Operator) PlanRebuild(ctx context.Context, tables []string) ([]RebuildTable, error) {
	cat, err := loadCatalog(ctx, o.pg, o.cfg)
	if err != nil {
		return nil, err
	}
	plans, err := cat.choose(tables)
	if err != nil {
		return nil, err
	}
	sizes, err := extents(ctx, o.pg, plans)
	if err != nil {
		return nil, err
	}
	planned := make([]RebuildTable, 0, len(plans))
	for _, p := range plans {
		t := RebuildTable{Table: p.source.name, Mirror: p.mirror.Table, State: "planned", Bytes: sizes[p.source.name].bytes}
		var rows, bytes uint64
		if err := o.cfg.ClickHouse.QueryRow(ctx, `SELECT sum(rows), sum(bytes_on_disk) FROM system.parts
			WHERE database = currentDatabase() AND table = {table:String} AND active`, named("table", p.mirror.Table)).Scan(&rows, &bytes); err != nil {
			return nil, fmt.Errorf("measure %s: %w", p.mirror.Table, err)
		}
		t.Rows, t.MirrorBytes = int64(rows), int64(bytes)
		planned = append(planned, t)
	}
	return planned, nil
}

// Rebuild asks the active replicator to build mirrors anew beside the old ones, and waits until each has taken its place. Readers see the
// old one until then. progress is told what has changed; when ctx ends the replicator goes on. No tables = all.
func (o *Operator) Rebuild(ctx context.Context, tables []string, progress func([]RebuildTable)) ([]RebuildTable, error) {
	if err := o.requireProgress(ctx); err != nil {
		return nil, err
	}
	planned, err := o.PlanRebuild(ctx, tables)
	if err != nil {
		return nil, err
	}
	byTable := map[string]RebuildTable{}
	for _, t := range planned {
		byTable[t.Table] = t
	}
	sources := slices.Sorted(maps.Keys(byTable))
	if _, err := o.pg.Exec(ctx, `INSERT INTO etl.rebuild (pipeline, source) SELECT $1, unnest($2::text[])
		ON CONFLICT (pipeline, source) DO UPDATE SET requested_at = now(), finished_at = NULL, rows = NULL, fault = NULL`, o.cfg.Pipeline, sources); err != nil {
		return nil, fmt.Errorf("ask for a rebuild: %w", err)
	}
	tick := time.NewTicker(o.cfg.RetryInterval)
	defer tick.Stop()
	for n, idle := 1, 0; ; n++ {
		now, err := o.rebuildState(ctx, byTable, sources)
		if err != nil {
			return nil, err
		}
		if progress != nil {
			progress(now)
		}
		if !slices.ContainsFunc(now, func(t RebuildTable) bool { return t.State == "waiting" || t.State == loadRebuilding }) {
			return now, failures(now)
		}
		if n%20 == 0 {
			err := o.requireProgress(ctx)
			if idle++; err == nil {
				idle = 0
			}
			if idle == 2 { // between two sessions nobody is active for a moment
				return now, fmt.Errorf("%w; the request stands and is done then", err)
			}
		}
		select {
		case <-ctx.Done():
			return now, fmt.Errorf("no longer waiting; the replicator goes on with the rebuild: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// rebuildState joins the requests with what the replicator has recorded.
func (o *Operator) rebuildState(ctx context.Context, planned map[string]RebuildTable, sources []string) ([]RebuildTable, error) {
	rows, err := o.pg.Query(ctx, `SELECT source, finished_at IS NOT NULL, coalesce(rows, 0), coalesce(fault, ''), extract(epoch FROM coalesce(finished_at, now()) - requested_at)::float8
		FROM etl.rebuild WHERE pipeline = $1 AND source = ANY ($2) ORDER BY source`, o.cfg.Pipeline, sources)
	if err != nil {
		return nil, fmt.Errorf("look at the rebuild: %w", err)
	}
	var now []RebuildTable
	var t RebuildTable
	var finished bool
	if _, err := pgx.ForEachRow(rows, []any{&t.Table, &finished, &t.Rows, &t.Fault, &t.Seconds}, func() error {
		p := planned[t.Table]
		p.Rows, p.Fault, p.Seconds, p.State = t.Rows, t.Fault, t.Seconds, "waiting"
		switch {
		case finished && t.Fault != "":
			p.State = "failed"
		case finished:
			p.State, p.BytesDone = loadDone, p.Bytes
		}
		now = append(now, p)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("look at the rebuild: %w", err)
	}
	records, err := readLoads(ctx, o.cfg.ClickHouse, o.cfg.Pipeline)
	if err != nil {
		return nil, err
	}
	for i := range now {
		if r := records[now[i].Table]; now[i].State == "waiting" && r.state == loadRebuilding {
			now[i].State, now[i].Rows, now[i].BytesDone = loadRebuilding, r.rows, r.bytesDone
		}
	}
	return now, nil
}

func failures(tables []RebuildTable) error {
	var faults []error
	for _, t := range tables {
		if t.State == "failed" {
			faults = append(faults, fmt.Errorf("rebuild %s: %s; the old mirror stands", t.Table, t.Fault))
		}
	}
	return errors.Join(faults...)
}
