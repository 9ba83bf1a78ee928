package app

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"groundwork"
	"groundwork/internal/detect"
	"groundwork/postgres"
	"groundwork/warehouse"
)

// FlagsJob has the detectors of formalism look at a period.
type FlagsJob struct {
	Config Config
	From   time.Time // first day; zero = the last quarter that is ripe
	To     time.Time // first day after
	Apply  bool      // raise what is found
	Out    io.Writer
}

// Run lists what the detectors find and nobody has flagged yet, and raises it where that is asked for.
func (j FlagsJob) Run(ctx context.Context) error {
	now := groundwork.Moment(time.Now())
	from, to := j.From, j.To
	if from.IsZero() != to.IsZero() {
		return groundwork.Invalid("from", "give --from and --to, or neither for the last quarter")
	}
	if from.IsZero() {
		from, to = detect.LastQuarter(now)
	}
	from, to = startOf(from), startOf(to)
	store, err := j.Config.openAs(ctx, postgres.RoleJobs, postgres.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	house, err := j.Config.openWarehouse(ctx)
	if err != nil {
		return err
	}
	defer house.Close()
	found, err := detect.Find(ctx, warehouse.NewMeasures(house), from, to, now)
	if err != nil {
		return err
	}
	raised, err := detect.Raise(ctx, store, found, !j.Apply)
	table := tabwriter.NewWriter(j.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "from %s to %s: %d conspicuous, %d of them stand already\nKIND\tNUMBER\tFROM\tSUBJECT\tSCORE\tN\n", from.Format(time.DateOnly), to.Format(time.DateOnly), len(found), len(found)-len(raised))
	for _, f := range raised {
		subject := "post " + textOf(f.SubjectPostID)
		if f.SubjectPostID == nil {
			subject = "unit " + textOf(f.SubjectUnitID)
		}
		fmt.Fprintf(table, "%s\t%v\t%s\t%s\t%.3g\t%v\n", f.Kind, f.Evidence["number"], f.PeriodFrom.Format(time.DateOnly), subject, f.Score, f.Evidence["n"])
	}
	says := "would be raised (--apply raises them)"
	if j.Apply {
		says = "raised, for reviewers to judge"
	}
	fmt.Fprintf(table, "%d flags %s\n", len(raised), says)
	if fault := table.Flush(); err == nil {
		err = fault
	}
	return err
}

// startOf is when a day begins here.
func startOf(day time.Time) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, groundwork.China)
}

func textOf(id fmt.Stringer) string { return id.String() }
