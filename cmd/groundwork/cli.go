package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"github.com/alecthomas/kong"

	"groundwork/internal/app"
	"groundwork/internal/embedded"
	"groundwork/internal/engine"
)

// CLI is the command line.
type CLI struct {
	Common

	Up        upCommand        `cmd:"" help:"Run everything: engines, migrations, replication, API."`
	Serve     serveCommand     `cmd:"" help:"Run the API alone, against stores that run already."`
	ETL       etlCommand       `cmd:"" name:"etl" help:"Run the replication alone, or look after one that runs."`
	Jobs      jobsCommand      `cmd:"" help:"Run the chores alone: what time brings about, against stores that run already."`
	Engine    engineCommand    `cmd:"" help:"Run the embedded ClickHouse engine alone, on its HTTP interface."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the schemas of both stores up to date."`
	Import    importCommand    `cmd:"" help:"Take in messages, service requests and reference data from files."`
	Export    exportCommand    `cmd:"" help:"Write published figures to CSV, Parquet or Arrow files, with a data sheet."`
	APIKey    apiKeyCommand    `cmd:"" name:"apikey" help:"Make, list and revoke the keys by which applications file requests."`
	Account   accountCommand   `cmd:"" help:"Say which accounts may act in which roles."`
	Audit     auditCommand     `cmd:"" help:"Look into the audit, or prove that nobody changed it."`
	Vault     vaultCommand     `cmd:"" help:"Look after the vault: encrypt identities with another key."`
	Retention retentionCommand `cmd:"" help:"Take away what is personal and has been kept long enough, or say for how long it is kept."`
	Flags     flagsCommand     `cmd:"" help:"Have the detectors of formalism look at a period, and raise flags for people to judge."`
	Token     tokenCommand     `cmd:"" help:"Make keys and sign tokens, where no OpenID Connect provider does."`
	Simulate  simulateCommand  `cmd:"" help:"Load an invented province with known truth."`
	Rebuild   rebuildCommand   `cmd:"" help:"Compare where issues stand with what their events say, or set it right."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// Common holds the options that every command has.
type Common struct {
	HTTP        string          `help:"Address that the API listens on." default:"127.0.0.1:8080" env:"GROUNDWORK_HTTP" placeholder:"HOST:PORT"`
	Postgres    string          `help:"Address of the embedded Postgres, or postgres:// URL of a server." default:"127.0.0.1:5433" env:"GROUNDWORK_POSTGRES" placeholder:"HOST:PORT|URL"`
	ClickHouse  string          `name:"clickhouse" help:"Address of the embedded ClickHouse engine, or http(s):// or clickhouse:// URL of a server." default:"127.0.0.1:8123" env:"GROUNDWORK_CLICKHOUSE" placeholder:"HOST:PORT|URL"`
	DataDir     string          `help:"Directory of the embedded engines' data." default:"./data" env:"GROUNDWORK_DATA" type:"path" placeholder:"DIR"`
	Cluster     string          `help:"Name of the ClickHouse cluster to create the schema on." env:"GROUNDWORK_CLUSTER" placeholder:"NAME"`
	Files       string          `name:"files" help:"Where evidence files are kept: s3://BUCKET[/PREFIX]?endpoint=HOST:PORT; default is the data directory." env:"GROUNDWORK_FILES" placeholder:"ADDRESS"`
	Metrics     string          `help:"Loopback address that up, serve and etl show their figures on, for Prometheus; default is nowhere." env:"GROUNDWORK_METRICS" placeholder:"HOST:PORT"`
	SecurityKey string          `help:"File of the key with which the audit is sealed; default is made in the data directory for the embedded Postgres." env:"GROUNDWORK_SECURITY_KEY" type:"path" placeholder:"FILE"`
	VaultKey    string          `help:"File of the keys with which identities are encrypted, one a line; the first encrypts. Default is made in the data directory for the embedded Postgres." env:"GROUNDWORK_VAULT_KEY" type:"path" placeholder:"FILE"`
	Slot        string          `name:"etl-slot" help:"Replication slot in Postgres; default is named after the database." env:"GROUNDWORK_ETL_SLOT" placeholder:"NAME"`
	LogLevel    string          `help:"Least level that is logged: ${enum}." enum:"debug,info,warn,error" default:"info" env:"GROUNDWORK_LOG_LEVEL"`
	LogFormat   string          `help:"Form of the log: ${enum}." enum:"text,json" default:"text" env:"GROUNDWORK_LOG_FORMAT"`
	Config      kong.ConfigFlag `help:"Read options from this YAML file too." env:"GROUNDWORK_CONFIG" placeholder:"FILE"`
}

// config turns the options into the application's configuration.
func (c *Common) config() app.Config {
	return app.Config{HTTP: c.HTTP, Postgres: c.Postgres, ClickHouse: c.ClickHouse, DataDir: c.DataDir, Files: c.Files, Metrics: c.Metrics, Cluster: c.Cluster, SecurityKey: c.SecurityKey, VaultKey: c.VaultKey, Slot: c.Slot, Logger: c.logger()}
}

func (c *Common) logger() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // kong has checked it
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// edgeOptions say how the API faces the network.
type edgeOptions struct {
	RateAccount     string   `help:"How much an account may ask for: RATE/BURST, points of cost a second and at most, or off. Default: 500/20000 where others than this machine reach the API, else off." env:"GROUNDWORK_RATE_ACCOUNT" placeholder:"RATE/BURST"`
	RateAddress     string   `help:"The same of an address, for those without an account. Default: 300/10000, or off." env:"GROUNDWORK_RATE_ADDRESS" placeholder:"RATE/BURST"`
	RateSubmissions string   `help:"How many opinions may come from an address without an account. Default: 0.5/60, or off." env:"GROUNDWORK_RATE_SUBMISSIONS" placeholder:"RATE/BURST"`
	TrustedProxy    []string `help:"Address or range of a reverse proxy whose X-Forwarded-For and X-Forwarded-Proto are believed. May be given several times." env:"GROUNDWORK_TRUSTED_PROXY" placeholder:"CIDR"`

	TrustedDocuments     string `help:"File of the GraphQL documents that clients may name by documentId: a JSON object of ids and documents, as client generators write it." env:"GROUNDWORK_TRUSTED_DOCUMENTS" placeholder:"FILE"`
	TrustedDocumentsOnly bool   `help:"Answer these documents alone, whoever asks." env:"GROUNDWORK_TRUSTED_DOCUMENTS_ONLY"`
}

func (o edgeOptions) into(cfg *app.Config) {
	cfg.TrustedProxies = o.TrustedProxy
	cfg.TrustedDocuments, cfg.TrustedDocumentsOnly = o.TrustedDocuments, o.TrustedDocumentsOnly
	cfg.Rates = app.RateConfig{Account: o.RateAccount, Address: o.RateAddress, Submissions: o.RateSubmissions}
}

// choreOptions say what the chores do beside what is always due.
type choreOptions struct {
	Retention bool `help:"Take away what is personal and was kept as long as the rules of retention say, for good, every hour." env:"GROUNDWORK_RETENTION"`
}

type upCommand struct {
	authOptions
	edgeOptions
	choreOptions
	AllowUnauthenticated bool     `help:"Let other machines reach the API though callers do not prove who they are." env:"GROUNDWORK_ALLOW_UNAUTHENTICATED"`
	NoSample             bool     `help:"Do not load the bundled sample into an empty system." env:"GROUNDWORK_NO_SAMPLE"`
	Demo                 demoSize `help:"Load a simulated province of N issues into an empty system instead of the sample; default of N is 20000." env:"GROUNDWORK_DEMO" placeholder:"N"`
}

func (upCommand) Help() string {
	return `Starts a child Postgres and a child ClickHouse engine with their data under --data-dir, migrates both, starts the
replication and the API, and prints the addresses. An empty system first takes in a small bundled sample. Ctrl-C stops all of it
in order; the next start goes on where this one stopped. With URLs for --postgres and --clickhouse it uses those servers instead.

Examples:
  groundwork up
  groundwork up --demo
  groundwork up --demo=200000 --data-dir ./larger
  groundwork up --http 127.0.0.1:9080 --postgres 127.0.0.1:6433 --clickhouse 127.0.0.1:9123 --data-dir ./second
  groundwork up --postgres postgres://groundwork:secret@db/groundwork --clickhouse http://groundwork:secret@ch:8123/groundwork`
}

func (u upCommand) Run(ctx context.Context, c *Common) error {
	cfg := c.config()
	cfg.AllowUnauthenticated, cfg.NoSample, cfg.GraphiQL = u.AllowUnauthenticated, u.NoSample, true
	cfg.Demo, cfg.Auth, cfg.Retention = int64(u.Demo), u.auth(), u.Retention
	u.into(&cfg)
	return app.Up(ctx, cfg, os.Stdout)
}

type serveCommand struct {
	authOptions
	edgeOptions
	AllowUnauthenticated bool `help:"Let other machines reach the API though callers do not prove who they are." env:"GROUNDWORK_ALLOW_UNAUTHENTICATED"`
	GraphiQL             bool `name:"graphiql" help:"Serve GraphiQL at /graphiql and answer introspection." env:"GROUNDWORK_GRAPHIQL"`
}

func (serveCommand) Help() string {
	return `Examples:
  groundwork serve --postgres postgres://groundwork:secret@db/groundwork --clickhouse http://groundwork:secret@ch:8123/groundwork
  groundwork serve --http 127.0.0.1:8081        a second API on the engines of a running "groundwork up"`
}

func (s serveCommand) Run(ctx context.Context, c *Common) error {
	cfg := c.config()
	cfg.AllowUnauthenticated, cfg.GraphiQL, cfg.Auth = s.AllowUnauthenticated, s.GraphiQL, s.auth()
	s.into(&cfg)
	return app.Serve(ctx, cfg, os.Stdout)
}

type jobsCommand struct {
	choreOptions
}

func (jobsCommand) Help() string {
	return `Takes the steps that time brings: silent acceptance, ends of pauses and plans, closing without a verdict, escalation, and what the other
nouns have due. "groundwork up" does it by itself. Several may run at once: each chore runs in one of them at a time.

Example:
  groundwork jobs --postgres postgres://groundwork:secret@db/groundwork`
}

func (j jobsCommand) Run(ctx context.Context, c *Common) error {
	cfg := c.config()
	cfg.Retention = j.Retention
	return app.Jobs(ctx, cfg)
}

type engineCommand struct {
	Listen  string `help:"Address that the HTTP interface listens on; default is that of --clickhouse." placeholder:"HOST:PORT"`
	Library string `name:"chdb-lib" help:"The engine's library, where it is not found by itself." env:"GROUNDWORK_CHDB_LIB" placeholder:"FILE"`
}

func (engineCommand) Help() string {
	return `Serves the ClickHouse HTTP interface over the engine's data in --data-dir. "groundwork up" starts it by itself. The passwords of
the users "groundwork" (everything) and "bi" (reading the pub_* views) come from GROUNDWORK_ENGINE_PASSWORD and
GROUNDWORK_ENGINE_BI_PASSWORD.

Example:
  groundwork engine --data-dir ./data/clickhouse --listen 127.0.0.1:8123`
}

func (e engineCommand) Run(ctx context.Context, c *Common) error {
	listen := e.Listen
	if listen == "" {
		listen = c.ClickHouse
	}
	if e.Library == "" {
		library, err := embedded.SearchFromEnvironment().Chdb()
		if err != nil {
			return err
		}
		e.Library = library
	}
	return engine.Run(ctx, engine.Config{
		Library: e.Library, DataDir: c.DataDir, Listen: listen, Logger: c.logger(),
		Password: os.Getenv(embedded.EnginePasswordVariable), BIPassword: os.Getenv(embedded.EngineReadOnlyPasswordVariable),
	})
}

type migrateCommand struct {
	DryRun bool `help:"Only say what would be done."`
}

func (migrateCommand) Help() string {
	return `"groundwork up" migrates by itself; on servers of your own run this before a new version of serve and etl.

Examples:
  groundwork migrate --dry-run --postgres postgres://owner:secret@db/groundwork --clickhouse http://owner:secret@ch:8123/groundwork
  groundwork migrate --cluster main --postgres postgres://owner:secret@db/groundwork --clickhouse http://owner:secret@ch1:8123,ch2:8123/groundwork`
}

func (m migrateCommand) Run(ctx context.Context, c *Common) error {
	return app.Migrate(ctx, c.config(), m.DryRun, os.Stdout)
}

type versionCommand struct{}

func (versionCommand) Run() error {
	fmt.Println("groundwork", version())
	return nil
}

// revision is the commit that the binary was built from; make sets it.
var revision = "unknown revision"

func version() string { return revision + " " + runtime.Version() }
