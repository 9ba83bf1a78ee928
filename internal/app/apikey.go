package app

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

// operator stands for the person at the command line who administers keys.
var operator = groundwork.Actor{ID: "operator", Role: groundwork.RoleSystem}

// CreateAPIKey makes a key for filing over Open311, valid for so long, or for ever if that is 0. The key alone goes to out, so that
// it can be piped; what is to be said about it goes to note.
func CreateAPIKey(ctx context.Context, cfg Config, account string, valid time.Duration, out, note io.Writer) error {
	k := groundwork.APIKey{Account: account, Scopes: []groundwork.APIScope{groundwork.ScopeOpen311}}
	if valid != 0 {
		k.ExpiresAt = new(time.Now().Add(valid))
	}
	store, err := cfg.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	created, key, err := store.CreateAPIKey(ctx, operator, k)
	if err != nil {
		return err
	}
	fmt.Fprintf(note, "Key %s of %s, %s. Keep it: it is not shown again.\n", created.ID, created.Account, validity(created, time.Now()))
	fmt.Fprintln(out, key)
	return nil
}

// ListAPIKeys lists all keys, the newest first.
func ListAPIKeys(ctx context.Context, cfg Config, out io.Writer) error {
	store, err := cfg.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tACCOUNT\tSCOPES\tCREATED\tSTATE\tLAST USED")
	for request := (groundwork.PageRequest{First: 100}); ; {
		page, err := store.APIKeys(ctx, request)
		if err != nil {
			return err
		}
		for _, k := range page.Items {
			used := "never"
			if k.LastUsedAt != nil {
				used = k.LastUsedAt.In(groundwork.China).Format("2006-01-02 15:00")
			}
			fmt.Fprintf(table, "%s\t%s\t%v\t%s\t%s\t%s\n", k.ID, k.Account, k.Scopes, groundwork.DayOf(k.CreatedAt), validity(k, time.Now()), used)
		}
		if !page.HasNext {
			return table.Flush()
		}
		request.After = &page.Cursors[len(page.Cursors)-1]
	}
}

// RevokeAPIKey ends a key.
func RevokeAPIKey(ctx context.Context, cfg Config, key string, out io.Writer) error {
	id, err := uuid.Parse(key)
	if err != nil {
		return groundwork.Invalid("id", "%q is no id of a key; `groundwork apikey list` shows them", key)
	}
	store, err := cfg.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	revoked, err := store.RevokeAPIKey(ctx, operator, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Key %s of %s: %s.\n", revoked.ID, revoked.Account, validity(revoked, time.Now()))
	return nil
}

func validity(k *groundwork.APIKey, now time.Time) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked on " + groundwork.DayOf(*k.RevokedAt)
	case k.ExpiresAt == nil:
		return "valid until it is revoked"
	case k.ExpiresAt.After(now):
		return "valid until " + groundwork.DayOf(*k.ExpiresAt)
	}
	return "expired on " + groundwork.DayOf(*k.ExpiresAt)
}
