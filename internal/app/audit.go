package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"groundwork"
	"groundwork/postgres"
)

// AuditJob is one thing that an auditor asks.
type AuditJob struct {
	Config
	Out io.Writer
}

// do opens the system of record as the auditor, who reads the audit and nothing else.
func (j AuditJob) do(ctx context.Context, f func(*postgres.DB) error) error {
	key, err := j.auditKey()
	if err != nil {
		return err
	}
	store, err := j.openAs(ctx, postgres.RoleAuditor, postgres.Options{AuditKey: key, StatementTimeout: time.Hour})
	if err != nil {
		return err
	}
	defer store.Close()
	return f(store)
}

// AuditQuery is what `groundwork audit list` is given; zero fields do not narrow.
type AuditQuery struct {
	Actor, Noun, Key string
	Since, Until     time.Time
	Limit            int // 0 = all
	JSON             bool
}

func (q AuditQuery) filter() groundwork.AuditFilter {
	f := groundwork.AuditFilter{Actor: q.Actor, Noun: q.Noun, Key: q.Key}
	if !q.Since.IsZero() {
		f.At.From = &q.Since
	}
	if !q.Until.IsZero() {
		f.At.To = &q.Until
	}
	return f
}

// List lists entries, the newest first.
func (j AuditJob) List(ctx context.Context, q AuditQuery) error {
	if q.Limit < 0 {
		return fmt.Errorf("--limit %d is negative: give 0 for all", q.Limit)
	}
	return j.do(ctx, func(store *postgres.DB) error {
		show, flush := j.table()
		if q.JSON {
			encoder := json.NewEncoder(j.Out)
			show, flush = func(e groundwork.AuditEntry) error { return encoder.Encode(e) }, func() error { return nil }
		}
		const page = 1000
		for before, left := int64(0), q.Limit; ; {
			size := page
			if q.Limit > 0 {
				size = min(page, left)
			}
			entries, err := store.AuditEntries(ctx, q.filter(), before, size)
			if err != nil {
				return err
			}
			for _, e := range entries {
				if err := show(e); err != nil {
					return err
				}
				before = e.ID
			}
			if left -= len(entries); len(entries) < size || left == 0 {
				return flush()
			}
		}
	})
}

// table shows entries for people.
func (j AuditJob) table() (show func(groundwork.AuditEntry) error, flush func() error) {
	w := tabwriter.NewWriter(j.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tAT\tACTOR\tROLE\tFROM\tOPERATION\tPURPOSE\tWHAT\tROWS\tKEYS")
	return func(e groundwork.AuditEntry) error {
		keys := strings.Join(e.Keys[:min(3, len(e.Keys))], " ")
		if e.Affected > 3 {
			keys += " …"
		}
		_, err := fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s %s\t%d\t%s\n", e.ID, e.At.UTC().Format(time.RFC3339), e.Actor, orNone(e.Role), orNone(e.Address),
			orNone(e.Operation), orNone(e.Purpose), strings.ToLower(e.Action), e.Noun, e.Affected, keys)
		return err
	}, w.Flush
}

func orNone(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// ErrTampered says that the audit is not what was sealed.
var ErrTampered = errors.New("the audit was tampered with")

// Verify compares all entries with their seals, and the heads that were noted earlier (as N:MAC, the way Verify prints them).
func (j AuditJob) Verify(ctx context.Context, noted []string) error {
	heads := make([]groundwork.AuditHead, len(noted))
	for i, text := range noted {
		n, mac, _ := strings.Cut(text, ":")
		number, err := strconv.ParseInt(n, 10, 64)
		if err != nil || len(mac) != 64 {
			return fmt.Errorf("--noted %q is no head: give it as an earlier verification printed it, such as 12:9f86…", text)
		}
		heads[i] = groundwork.AuditHead{N: number, MAC: strings.ToLower(mac)}
	}
	return j.do(ctx, func(store *postgres.DB) error {
		report, err := store.VerifyAudit(ctx, heads...)
		if err != nil {
			return err
		}
		fmt.Fprintf(j.Out, "%d entries in %d seals compared, %d entries wait for their seal\n", report.Entries, report.Seals, report.Unsealed)
		for _, f := range report.Faults {
			fmt.Fprintln(j.Out, f)
		}
		if n := len(report.Faults); n > 0 {
			return fmt.Errorf("%w: %d faults", ErrTampered, n)
		}
		fmt.Fprintf(j.Out, "sound; note this head elsewhere, and give it next time: %d:%s\n", report.Head.N, report.Head.MAC)
		return nil
	})
}
