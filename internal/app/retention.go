package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"groundwork"
	"groundwork/postgres"
)

// RetentionJob looks after what is kept and for how long.
type RetentionJob struct {
	Config Config
	Out    io.Writer
	Now    func() time.Time // default: time.Now
}

// Run says how much of each kind is due and, if it is to be applied, takes it away, as the role of the chores.
func (j RetentionJob) Run(ctx context.Context, apply bool) (err error) {
	o := postgres.Options{StatementTimeout: time.Hour}
	if apply {
		if o.Evidence, err = j.Config.openFiles(ctx); err != nil {
			return err
		}
	}
	store, err := j.Config.openAs(ctx, postgres.RoleJobs, o)
	if err != nil {
		return err
	}
	defer store.Close()
	rules, err := store.RetentionRules(ctx)
	if err != nil {
		return err
	}
	asOf := j.now()
	table := tabwriter.NewWriter(j.Out, 0, 0, 2, ' ', 0)
	defer func() { err = errors.Join(err, table.Flush()) }()
	column := "DUE"
	if apply {
		column = "TAKEN AWAY"
	}
	fmt.Fprintf(table, "KIND\tMONTHS KEPT\t%s\n", column)
	for _, r := range rules {
		var n int64
		if apply {
			n, err = applyRetention(ctx, store, r.Kind, asOf)
		} else {
			n, err = store.RetentionDue(ctx, r.Kind, asOf)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%d\t%d\n", r.Kind, r.Months, n)
	}
	return nil
}

func applyRetention(ctx context.Context, store groundwork.RetentionStore, kind groundwork.RetentionKind, asOf time.Time) (total int64, err error) {
	for {
		n, err := store.ApplyRetention(ctx, kind, asOf)
		total += int64(n)
		if n == 0 || err != nil {
			return total, err
		}
	}
}

func (j RetentionJob) now() time.Time {
	if j.Now != nil {
		return j.Now()
	}
	return time.Now()
}

// Keep sets for how many months a kind is kept.
func (j RetentionJob) Keep(ctx context.Context, kind string, months int) error {
	r := groundwork.RetentionRule{Kind: groundwork.RetentionKind(kind), Months: months}
	return j.asOwner(ctx, func(store groundwork.RetentionStore) error {
		if err := store.SetRetention(ctx, r); err != nil {
			return err
		}
		fmt.Fprintf(j.Out, "%s is kept for %d months\n", r.Kind, r.Months)
		return nil
	})
}

// Restored has the next run delete again the files that a backup of their store brought back.
func (j RetentionJob) Restored(ctx context.Context) error {
	return j.asOwner(ctx, func(store groundwork.RetentionStore) error {
		n, err := store.DeleteFilesAgain(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(j.Out, "the next run deletes %d files again\n", n)
		return nil
	})
}

// Hold places a legal hold on an issue.
func (j RetentionJob) Hold(ctx context.Context, publicRef, reason string) error {
	h := groundwork.LegalHold{PublicRef: publicRef, Reason: reason}
	return j.asOwner(ctx, func(store groundwork.RetentionStore) error {
		if err := store.PlaceHold(ctx, h); err != nil {
			return err
		}
		fmt.Fprintf(j.Out, "%s is held\n", h.PublicRef)
		return nil
	})
}

// Release lifts the legal hold of an issue.
func (j RetentionJob) Release(ctx context.Context, publicRef string) error {
	return j.asOwner(ctx, func(store groundwork.RetentionStore) error {
		if err := store.LiftHold(ctx, publicRef); err != nil {
			return err
		}
		fmt.Fprintf(j.Out, "%s is no longer held\n", publicRef)
		return nil
	})
}

// Holds lists the legal holds that stand.
func (j RetentionJob) Holds(ctx context.Context) error {
	return j.asOwner(ctx, func(store groundwork.RetentionStore) error {
		holds, err := store.LegalHolds(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(j.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ISSUE\tSINCE\tBY\tREASON")
		for _, h := range holds {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", h.PublicRef, h.PlacedAt.Format(time.RFC3339), h.PlacedBy, h.Reason)
		}
		return table.Flush()
	})
}

func (j RetentionJob) asOwner(ctx context.Context, do func(groundwork.RetentionStore) error) error {
	store, err := j.Config.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	return do(store)
}
