package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/auth"
	"groundwork/graph"
	"groundwork/graph/model"
	"groundwork/postgres"
)

// AuthConfig says how callers of the API prove who they are; if it is empty, they do not.
type AuthConfig struct {
	Keys     string // file of a key set of our own
	OIDC     string // issuer URL of an OpenID Connect provider
	Audience string // of the tokens
}

func (a AuthConfig) on() bool { return a.Keys != "" || a.OIDC != "" }

func (a AuthConfig) validate() error {
	if a.Keys != "" && a.OIDC != "" {
		return errors.New("--auth-keys and --auth-oidc are both given: tokens come from one issuer; leave one out")
	}
	if u, err := url.Parse(a.OIDC); a.OIDC != "" && (err != nil || u.Host == "" || u.Scheme != "https" && !loopback(u.Host)) {
		return fmt.Errorf("--auth-oidc (GROUNDWORK_AUTH_OIDC) %q: give the https:// URL of the issuer", a.OIDC)
	}
	if a.on() && a.Audience == "" {
		return errors.New("--auth-audience (GROUNDWORK_AUTH_AUDIENCE) is empty: name for whom tokens are")
	}
	return nil
}

// identify is what finds out who asks: by token, or, where no way to prove it is configured, by the headers of whoever is let in.
func (c Config) identify(ctx context.Context, store *postgres.DB) (func(http.Handler) http.Handler, error) {
	if !c.Auth.on() {
		return graph.WithActor, nil
	}
	var verify auth.Verifier
	if c.Auth.Keys != "" {
		keys, err := auth.ReadKeys(c.Auth.Keys)
		if err != nil {
			return nil, fmt.Errorf("--auth-keys: %w", err)
		}
		verify = keys.Verifier(c.Auth.Audience, time.Now)
	} else {
		var err error
		if verify, err = auth.Discover(ctx, c.Auth.OIDC, c.Auth.Audience, time.Now); err != nil {
			return nil, fmt.Errorf("--auth-oidc: %w", err)
		}
	}
	return auth.Identify(verify, store, auth.Options{ParseID: parseUnit, Logger: c.Logger}), nil
}

// parseUnit reads the id of a unit as the API gives it, or the UUID.
func parseUnit(text string) (uuid.UUID, error) {
	if id, err := model.ParseID(text); err == nil && id.Type == model.TypeOrgUnit {
		return id.UUID, nil
	}
	return uuid.Parse(text)
}

// Grant is what `groundwork account grant` is given.
type Grant struct {
	Account, Role, Unit, Official string
	Regions                       []string
	Valid                         time.Duration // 0 = until revoked
}

// GrantRole lets an account act in a role.
func GrantRole(ctx context.Context, cfg Config, g Grant, out io.Writer) error {
	grant := groundwork.RoleGrant{Account: g.Account, Role: groundwork.Role(strings.ToUpper(g.Role)), Unit: g.Unit, RegionCodes: g.Regions, Official: g.Official}
	if g.Valid != 0 {
		grant.ValidTo = new(time.Now().Add(g.Valid))
	}
	store, err := cfg.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	made, err := store.GrantRole(ctx, operator, grant)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s may act as %s, %s (grant %s)\n", made.Account, made.Role, until(made.ValidTo), made.ID)
	if len(made.RegionIDs) == 0 && made.Role.NeedsRegions() {
		fmt.Fprintln(out, "It reaches no region, so it may do nothing in any: to change that, revoke it and grant it anew with --region.")
	}
	return nil
}

// RevokeRole ends what a grant allows.
func RevokeRole(ctx context.Context, cfg Config, id string, out io.Writer) error {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return fmt.Errorf("%q is no id of a grant: `groundwork account list` shows them", id)
	}
	store, err := cfg.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	ended, err := store.RevokeRole(ctx, operator, parsed)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s may no longer act as %s: %s. Servers notice within ten seconds.\n", ended.Account, ended.Role, until(ended.ValidTo))
	return nil
}

// ListRoles lists who may act in which role, the newest grant first.
func ListRoles(ctx context.Context, cfg Config, account string, out io.Writer) error {
	store, err := cfg.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tACCOUNT\tROLE\tUNIT\tREGIONS\tGRANTED\tSTATE")
	for request := (groundwork.PageRequest{First: 100}); ; {
		page, err := store.RoleBindings(ctx, account, request)
		if err != nil {
			return err
		}
		for _, b := range page.Items {
			unit := "-"
			if b.UnitID != nil {
				unit = b.UnitID.String()
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", b.ID, b.Account, b.Role, unit, len(b.RegionIDs), groundwork.DayOf(b.CreatedAt), until(b.ValidTo))
		}
		if !page.HasNext {
			return table.Flush()
		}
		request.After = &page.Cursors[len(page.Cursors)-1]
	}
}

func until(end *time.Time) string {
	switch {
	case end == nil:
		return "until revoked"
	case end.After(time.Now()):
		return "until " + end.In(groundwork.China).Format("2006-01-02 15:04")
	default:
		return "ended " + end.In(groundwork.China).Format("2006-01-02 15:04")
	}
}

// NewKey prints a new key set for signing tokens.
func NewKey(kid string, out io.Writer) error {
	if kid == "" {
		return errors.New("--kid is empty: name the key")
	}
	set, err := auth.NewKey(kid)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(set))
	return err
}

// PublicKeys prints the public half of a key set.
func PublicKeys(file string, out io.Writer) error {
	keys, err := auth.ReadKeys(file)
	if err != nil {
		return err
	}
	public, err := keys.Public()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(public))
	return err
}

// SignToken prints a token for an account.
func SignToken(file, account, audience string, valid time.Duration, out io.Writer) error {
	if account == "" || account == groundwork.Anonymous.ID || account == groundwork.System.ID || valid <= 0 {
		return fmt.Errorf("account %q, valid for %v: name an account, and for how long", account, valid)
	}
	keys, err := auth.ReadKeys(file)
	if err != nil {
		return err
	}
	token, err := keys.Sign(account, audience, time.Now(), valid)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token)
	return err
}
