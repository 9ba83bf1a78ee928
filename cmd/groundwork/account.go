package main

import (
	"context"
	"os"
	"time"

	"groundwork/internal/app"
)

type accountCommand struct {
	Grant  accountGrant  `cmd:"" help:"Let an account act in a role."`
	List   accountList   `cmd:"" help:"List who may act in which role, since when and until when."`
	Revoke accountRevoke `cmd:"" help:"End what a grant allows, now."`
}

type accountGrant struct {
	Account  string        `arg:"" help:"The account: the subject (sub) of its tokens."`
	Role     string        `required:"" help:"The role, such as HANDLER." placeholder:"ROLE"`
	Unit     string        `help:"The unit that it acts for: name or id. HANDLER, UNIT_HEAD, CALLER and ASSESSOR need one." placeholder:"UNIT"`
	Region   []string      `help:"Code of a region: the role reaches what lies in it. May be given several times." placeholder:"CODE"`
	Official string        `help:"The official behind the account: id or pseudonym. LEADER needs one." placeholder:"OFFICIAL"`
	Valid    time.Duration `help:"For how long; 0 = until it is revoked." default:"0"`
}

func (accountGrant) Help() string {
	return `Who an account is, its token proves; what it may do stands in the system of record, so that it can be taken away at once.
Every account is a CITIZEN without a grant.

Examples:
  groundwork account grant li --role DISPATCHER --region 990100000000
  groundwork account grant wang --role HANDLER --unit "X市住建局" --valid 8760h`
}

func (a accountGrant) Run(ctx context.Context, c *Common) error {
	return app.GrantRole(ctx, c.config(), app.Grant{Account: a.Account, Role: a.Role, Unit: a.Unit, Regions: a.Region, Official: a.Official, Valid: a.Valid}, os.Stdout)
}

type accountList struct {
	Account string `arg:"" optional:"" help:"Only this account."`
}

func (a accountList) Run(ctx context.Context, c *Common) error {
	return app.ListRoles(ctx, c.config(), a.Account, os.Stdout)
}

type accountRevoke struct {
	ID string `arg:"" help:"Id of the grant, as the list shows it."`
}

func (a accountRevoke) Run(ctx context.Context, c *Common) error {
	return app.RevokeRole(ctx, c.config(), a.ID, os.Stdout)
}

type tokenCommand struct {
	Key    tokenKey    `cmd:"" help:"Make a key set for signing tokens, and print it."`
	Public tokenPublic `cmd:"" help:"Print the public half of a key set, for servers that only verify."`
	Sign   tokenSign   `cmd:"" help:"Make a token for an account, and print it."`
}

func (tokenCommand) Help() string {
	return `For installations without an OpenID Connect provider, and for trying out.

Examples:
  (umask 077; groundwork token key > keys.json)
  groundwork up --auth-keys keys.json
  curl -H "Authorization: Bearer $(groundwork token sign li --auth-keys keys.json)" http://127.0.0.1:8080/graphql …`
}

type tokenKey struct {
	Kid string `help:"Name of the key (kid)." default:"1"`
}

func (k tokenKey) Run() error { return app.NewKey(k.Kid, os.Stdout) }

type tokenPublic struct {
	AuthKeys string `required:"" help:"File of the key set." env:"GROUNDWORK_AUTH_KEYS" type:"path" placeholder:"FILE"`
}

func (k tokenPublic) Run() error { return app.PublicKeys(k.AuthKeys, os.Stdout) }

type tokenSign struct {
	Account  string        `arg:"" help:"The account: what the token's subject (sub) will be."`
	AuthKeys string        `required:"" help:"File of the key set." env:"GROUNDWORK_AUTH_KEYS" type:"path" placeholder:"FILE"`
	Audience string        `name:"auth-audience" help:"For whom the token is (aud)." default:"groundwork" env:"GROUNDWORK_AUTH_AUDIENCE"`
	Valid    time.Duration `help:"How long the token is valid." default:"12h"`
}

func (s tokenSign) Run() error {
	return app.SignToken(s.AuthKeys, s.Account, s.Audience, s.Valid, os.Stdout)
}

// authOptions say how callers prove who they are.
type authOptions struct {
	AuthKeys     string `help:"File of the key set (JWKS) with which tokens are signed: callers must send one (groundwork token --help)." env:"GROUNDWORK_AUTH_KEYS" type:"path" placeholder:"FILE"`
	AuthOIDC     string `name:"auth-oidc" help:"Issuer URL of the OpenID Connect provider whose tokens callers must send." env:"GROUNDWORK_AUTH_OIDC" placeholder:"URL"`
	AuthAudience string `help:"For whom tokens must be (aud)." default:"groundwork" env:"GROUNDWORK_AUTH_AUDIENCE" placeholder:"NAME"`
}

func (o authOptions) auth() app.AuthConfig {
	return app.AuthConfig{Keys: o.AuthKeys, OIDC: o.AuthOIDC, Audience: o.AuthAudience}
}
