package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"groundwork/etl"
	"groundwork/postgres"
	"groundwork/warehouse"
)

// steadyGCPercent is how much garbage may gather in a process that only replicates, in percent of what lives. It makes little, so that
// collecting twice as often as usual costs nothing to speak of, and the memory of a long transaction stays near that of a short one.
const steadyGCPercent = 50

// ETL runs the replication alone. GOGC in the environment has the last word on collecting garbage.
func ETL(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	house, err := cfg.openWarehouse(ctx)
	if err != nil {
		return err
	}
	defer house.Close()
	figures, err := openMetrics(cfg)
	if err != nil {
		return err
	}
	defer figures.close()
	replicator, err := newReplicator(cfg, house, figures)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(steadyGCPercent))
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return replicator.Run(ctx) })
	group.Go(func() error { return (&warehouse.Keeper{DB: house, Logger: cfg.Logger}).Run(ctx) })
	group.Go(func() error { return figures.serve(ctx, cfg) })
	return ignoreStop(group.Wait())
}

func newReplicator(cfg Config, house *warehouse.DB, figures metrics) (*etl.Replicator, error) {
	config, err := cfg.replication(house)
	if err != nil {
		return nil, err
	}
	config.Metrics, config.Traces = figures.registerer(), figures.traces.tracer()
	return etl.New(config)
}

func (c Config) replication(house *warehouse.DB) (etl.Config, error) {
	dsn, err := c.postgresAs(postgres.RoleETL)
	return etl.Config{Postgres: dsn, ClickHouse: house, Slot: c.Slot, Layout: warehouse.Layout{Cluster: c.Cluster}, Logger: c.Logger}, err
}

// ETLJob is one thing that an operator asks of the replication.
type ETLJob struct {
	Config
	JSON bool // answer in JSON
	Out  io.Writer
}

// do opens an operator for f.
func (j ETLJob) do(ctx context.Context, f func(*etl.Operator) error) error {
	house, err := j.openWarehouse(ctx)
	if err != nil {
		return err
	}
	defer house.Close()
	config, err := j.replication(house)
	if err != nil {
		return err
	}
	operator, err := etl.NewOperator(ctx, config)
	if err != nil {
		return err
	}
	defer operator.Close()
	return f(operator)
}

// Status tells how the replication fares.
func (j ETLJob) Status(ctx context.Context, interval time.Duration) error {
	return j.do(ctx, func(o *etl.Operator) error {
		r, err := o.Report(ctx, interval)
		if err != nil {
			return err
		}
		if j.JSON {
			return j.writeJSON(r)
		}
		return j.tellStatus(r)
	})
}

func (j ETLJob) tellStatus(r etl.Report) error {
	w := tabwriter.NewWriter(j.Out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	row("state", "%s", r.State)
	if r.Active != nil {
		row("active", "backend %d from %s since %s", r.Active.PID, orLocal(r.Active.Address), r.Active.Since.UTC().Format(time.RFC3339))
	}
	row("standbys", "%d", r.Standbys)
	row("lag", "%.1f s, %s", r.LagSeconds, bytesText(r.LagBytes))
	row("rate", "Postgres writes %s/s, the warehouse takes %s/s", bytesText(int64(r.WrittenRate)), bytesText(int64(r.AppliedRate)))
	row("position", "Postgres %s, warehouse %s", r.Position, r.Applied)
	if r.Watermark != nil {
		row("watermark", "%s", r.Watermark.Format(time.RFC3339Nano))
	}
	row("slot", "%s %s", r.Slot.Name, slotText(r.Slot))
	row("kept WAL", "%s of %s", bytesText(r.Slot.KeptBytes), keptLimit(r.Slot.KeptLimit))
	letters := int64(0)
	for _, n := range r.DeadLetters {
		letters += n
	}
	row("dead letters", "%d", letters)
	if len(r.Stopped) > 0 {
		row("stopped", "%s", strings.Join(r.Stopped, ", "))
	}
	for _, l := range r.Load {
		row(l.State, "%s", loadText(l))
	}
	for _, p := range r.Problems {
		row("PROBLEM", "%s", p)
	}
	return w.Flush()
}

func orLocal(address string) string {
	if address == "" {
		return "this machine"
	}
	return address
}

func slotText(h etl.SlotHealth) string {
	if !h.Exists {
		return "(missing)"
	}
	text := "(" + h.WALStatus
	if h.Active {
		text += ", in use"
	}
	if h.Failover {
		text += ", follows a failover"
	}
	if h.Invalidation != "" {
		text += ", " + h.Invalidation
	}
	return text + ")"
}

func keptLimit(bytes int64) string {
	if bytes < 0 {
		return "any amount (max_slot_wal_keep_size is not set)"
	}
	return bytesText(bytes)
}

func bytesText(n int64) string {
	const units = "KMGT"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1024, 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}

// ErrDiffer says that a verification has found differences.
var ErrDiffer = errors.New("the warehouse differs from Postgres")

// Verify compares both sides and lists the rows that differ; any fails with ErrDiffer unless it was repaired.
func (j ETLJob) Verify(ctx context.Context, tables []string, repair bool, progress io.Writer) error {
	return j.do(ctx, func(o *etl.Operator) error {
		found, err := o.Verify(ctx, etl.VerifyOptions{Tables: tables, Repair: repair, Progress: func(table string, done, ranges, rows int64) {
			if progress != nil {
				fmt.Fprintf(progress, "%s: %d %% of the table, %d rows\n", table, done*100/ranges, rows)
			}
		}})
		if err != nil {
			return err
		}
		if j.JSON {
			err = j.writeJSON(found)
		} else {
			err = j.tellVerify(found)
		}
		return errors.Join(err, differences(found))
	})
}

func differences(found []etl.Verification) error {
	n := 0
	for _, v := range found {
		if !v.Repaired {
			n += len(v.Differing)
		}
		n += v.Unsettled
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%w in %d rows: `groundwork etl verify --repair` writes them anew", ErrDiffer, n)
}

func (j ETLJob) tellVerify(found []etl.Verification) error {
	w := tabwriter.NewWriter(j.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "table\trows\tdiffering\trepaired\tset aside\tunsettled")
	for _, v := range found {
		repaired := 0
		if v.Repaired {
			repaired = len(v.Differing)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", v.Table, v.Rows, len(v.Differing), repaired, v.Parked, v.Unsettled)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, v := range found {
		for i, d := range v.Differing {
			if i == 100 {
				fmt.Fprintf(j.Out, "%s: and %d more\n", v.Table, len(v.Differing)-i)
				break
			}
			fmt.Fprintf(j.Out, "%s %s: Postgres has %s, the warehouse %s\n", v.Table, d.Key, had(d.Postgres), had(d.Mirror))
		}
	}
	return nil
}

func had(presence string) string {
	if presence == "none" {
		return "no such row"
	}
	return "the row"
}

// Pause makes the replication stand still, Resume ends that.
func (j ETLJob) Pause(ctx context.Context) error {
	return j.do(ctx, func(o *etl.Operator) error {
		if err := o.Pause(ctx); err != nil {
			return err
		}
		fmt.Fprintln(j.Out, "Paused. The slot keeps all WAL until `groundwork etl resume`.")
		return nil
	})
}

// Resume ends a pause.
func (j ETLJob) Resume(ctx context.Context) error {
	return j.do(ctx, func(o *etl.Operator) error {
		was, err := o.Resume(ctx)
		if err != nil {
			return err
		}
		if was {
			fmt.Fprintln(j.Out, "Resumed.")
		} else {
			fmt.Fprintln(j.Out, "It was not paused.")
		}
		return nil
	})
}

// Replay brings rows that were set aside to the warehouse, now that they may be corrected.
func (j ETLJob) Replay(ctx context.Context, tables []string, dryRun bool) error {
	return j.do(ctx, func(o *etl.Operator) error {
		done, err := o.Replay(ctx, tables, dryRun)
		if err != nil {
			return err
		}
		if j.JSON {
			return j.writeJSON(done)
		}
		var lines []string
		for _, r := range done {
			lines = append(lines, fmt.Sprintf("%s: %d settled, %d still set aside", r.Table, r.Settled, r.Stuck))
		}
		if len(lines) == 0 {
			lines = []string{"No rows are set aside."}
		}
		_, err = fmt.Fprintln(j.Out, strings.Join(lines, "\n"))
		return err
	})
}

func (j ETLJob) writeJSON(v any) error {
	e := json.NewEncoder(j.Out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
