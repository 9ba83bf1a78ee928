// Package auth finds out who asks: it verifies the bearer token of a request (JSON Web Tokens, RFC 7519; RFC 6750) and looks up what
// the account may do. Tokens are signed with keys of our own (ReadKeys) or by an OpenID Connect provider (Discover). A request without
// a token is one of an anonymous citizen.
package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"groundwork"
)

// DefaultAudience is the audience (aud) that tokens must be for.
const DefaultAudience = "groundwork"

// Verifier returns the account that a token is of, or why it proves nothing.
type Verifier func(ctx context.Context, token string) (account string, err error)

// Verifier verifies tokens that are signed with the keys, for the audience.
func (k *Keys) Verifier(audience string, now func() time.Time) Verifier {
	return func(_ context.Context, token string) (string, error) { return k.verify(token, audience, now()) }
}

// Discover verifies tokens of an OpenID Connect provider: its keys are found through its discovery document, and fetched again when
// a token names one that is not known, so that the provider may change them at any time. ctx bounds the discovery alone.
func Discover(ctx context.Context, issuer, audience string, now func() time.Time) (Verifier, error) {
	keep := oidc.ClientContext(context.WithoutCancel(ctx), &http.Client{Timeout: 10 * time.Second})
	provider, err := oidc.NewProvider(keep, issuer)
	if err != nil {
		return nil, fmt.Errorf("discover the OpenID Connect provider %s: %w; give the issuer as its own configuration names it, and see that this machine reaches it", issuer, err)
	}
	verifier := provider.VerifierContext(keep, &oidc.Config{ClientID: audience, Now: now})
	return func(ctx context.Context, token string) (string, error) {
		verified, err := verifier.Verify(ctx, token)
		if err != nil {
			return "", err
		}
		return verified.Subject, nil
	}, nil
}

// Bindings tells what an account may do now.
type Bindings interface {
	BindingsOf(ctx context.Context, account string) ([]groundwork.RoleBinding, error)
}

// The headers by which an account with several roles says which it acts in.
const (
	HeaderRole = "Groundwork-Role" // one of its roles
	HeaderUnit = "Groundwork-Unit" // id of the unit that it acts for
)

// Options tune Identify; zero values are the defaults.
type Options struct {
	Remember time.Duration                        // how long bindings are remembered, so how late a revocation may take effect: 10 s
	Accounts int                                  // how many accounts are remembered: 10,000
	ParseID  func(text string) (uuid.UUID, error) // reads the id of a unit: uuid.Parse
	Logger   *slog.Logger                         // slog.Default()
}

// Identify verifies who asks, for groundwork.ActorFrom. A token that proves nothing is answered 401, a role that the account does not
// have 403; no token makes an anonymous citizen.
func Identify(verify Verifier, bindings Bindings, o Options) func(http.Handler) http.Handler {
	if o.Remember == 0 {
		o.Remember = 10 * time.Second
	}
	if o.Accounts == 0 {
		o.Accounts = 10_000
	}
	if o.ParseID == nil {
		o.ParseID = uuid.Parse
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	i := &identifier{Options: o, verify: verify, bindings: bindings, known: expirable.NewLRU[string, []groundwork.RoleBinding](o.Accounts, nil, o.Remember)}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			actor, err := i.identify(r)
			if err != nil {
				i.refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(groundwork.WithActor(r.Context(), actor)))
		})
	}
}

type identifier struct {
	Options
	verify   Verifier
	bindings Bindings
	known    *expirable.LRU[string, []groundwork.RoleBinding]
}

const maxToken = 8 << 10

func (i *identifier) identify(r *http.Request) (groundwork.Actor, error) {
	header := r.Header.Get("Authorization")
	role := groundwork.Role(r.Header.Get(HeaderRole))
	if header == "" {
		if role != "" && role != groundwork.RoleCitizen {
			return groundwork.Actor{}, groundwork.Errorf(groundwork.CodeUnauthenticated, "role %q is not for the anonymous; send a token (Authorization: Bearer …)", clip(string(role)))
		}
		return groundwork.Anonymous, nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return groundwork.Actor{}, groundwork.Errorf(groundwork.CodeUnauthenticated, "send the token as Authorization: Bearer TOKEN")
	}
	account, err := i.verify(r.Context(), strings.TrimSpace(token))
	if err == nil && (account == "" || account == groundwork.Anonymous.ID || account == groundwork.System.ID) {
		err = errors.New("the token names no account")
	}
	if err != nil {
		return groundwork.Actor{}, &groundwork.Error{Code: groundwork.CodeUnauthenticated, Message: "the token is not valid; get a new one", Err: err}
	}
	unit, err := i.unit(r.Header.Get(HeaderUnit))
	if err != nil {
		return groundwork.Actor{}, err
	}
	bound, err := i.boundTo(r.Context(), account)
	if err != nil {
		return groundwork.Actor{}, err
	}
	return groundwork.ChooseRole(account, bound, role, unit)
}

// clip keeps what is said back to whoever asked short.
func clip(text string) string {
	if len(text) > 40 {
		return text[:40] + "…"
	}
	return text
}

func (i *identifier) unit(text string) (*uuid.UUID, error) {
	if text == "" {
		return nil, nil
	}
	id, err := i.ParseID(text)
	if err != nil {
		return nil, groundwork.Invalid(HeaderUnit, "header %s: %q is no id of a unit", HeaderUnit, clip(text))
	}
	return &id, nil
}

func (i *identifier) boundTo(ctx context.Context, account string) ([]groundwork.RoleBinding, error) {
	if known, ok := i.known.Get(account); ok {
		return known, nil
	}
	bound, err := i.bindings.BindingsOf(ctx, account)
	if err != nil {
		return nil, err
	}
	i.known.Add(account, bound)
	return bound, nil
}

// statuses are the HTTP statuses of refusals.
var statuses = map[groundwork.Code]int{
	groundwork.CodeInvalid: http.StatusBadRequest, groundwork.CodeUnauthenticated: http.StatusUnauthorized, groundwork.CodeForbidden: http.StatusForbidden,
}

// refuse answers in the form of GraphQL over HTTP. Why a token is not valid stands in the log alone.
func (i *identifier) refuse(w http.ResponseWriter, r *http.Request, err error) {
	code, message := groundwork.CodeOf(err), "the system of record cannot be reached; try again later"
	status, known := statuses[code]
	if e, ok := errors.AsType[*groundwork.Error](err); ok && known {
		message = e.Message
	} else {
		status, code = http.StatusServiceUnavailable, groundwork.CodeUnavailable
	}
	i.Logger.InfoContext(r.Context(), "a request was not let in", slog.String("code", string(code)), slog.Any("err", err))
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="groundwork", error="invalid_token"`)
	}
	w.Header().Set("Content-Type", "application/graphql-response+json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{"message": message, "extensions": map[string]any{"code": code}}}})
}
