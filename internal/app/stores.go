package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"groundwork/internal/embedded"
	"groundwork/postgres"
	"groundwork/warehouse"
)

// databaseName is the name of the database in the embedded engines, the same on both sides.
const databaseName = "groundwork"

// postgresDSN returns the connection string of the system of record: that of the server named, or of the embedded Postgres that a
// running "groundwork up" on the same data directory has started.
func (c Config) postgresDSN() (string, error) {
	if !c.embeddedPostgres() {
		return c.Postgres, nil
	}
	dsn, err := embedded.PostgresDSN(c.postgresDir(), c.Postgres, databaseName)
	if err != nil {
		return "", notUp(c.DataDir, err)
	}
	return dsn, nil
}

// clickHouseURL returns the URL of the warehouse in the same way.
func (c Config) clickHouseURL() (string, error) {
	if !c.embeddedClickHouse() {
		return c.ClickHouse, nil
	}
	address, err := embedded.EngineDSN(c.engineDir(), c.ClickHouse, databaseName)
	if err != nil {
		return "", notUp(c.DataDir, err)
	}
	return address, nil
}

func notUp(dataDir string, err error) error {
	return fmt.Errorf("no Groundwork has been started on %s yet (%w): start one with `make up`, or name servers by --postgres and --clickhouse", dataDir, err)
}

// openStore opens the system of record as its owner, for what operators do.
func (c Config) openStore(ctx context.Context) (*postgres.DB, error) {
	return c.openAs(ctx, "", postgres.Options{})
}

// openWithKey is openStore with the key by which the vault knows reporters.
func (c Config) openWithKey(ctx context.Context) (*postgres.DB, error) {
	key, err := c.secretKey()
	if err != nil {
		return nil, err
	}
	return c.openAs(ctx, "", postgres.Options{SecretKey: key})
}

// openAs opens the system of record in a role of the database.
func (c Config) openAs(ctx context.Context, role string, o postgres.Options) (*postgres.DB, error) {
	dsn, err := c.postgresDSN()
	if err != nil {
		return nil, err
	}
	o.Logger, o.Role = c.Logger, role
	return postgres.Open(ctx, dsn, o)
}

// postgresAs is the connection string with a role of the database to act as.
func (c Config) postgresAs(role string) (string, error) {
	dsn, err := c.postgresDSN()
	if err != nil {
		return "", err
	}
	return postgres.ActAs(dsn, role)
}

// openWarehouse opens the warehouse.
func (c Config) openWarehouse(ctx context.Context) (*warehouse.DB, error) {
	address, err := c.clickHouseURL()
	if err != nil {
		return nil, err
	}
	return warehouse.Open(ctx, address)
}

// openBoth opens both stores for the API, or neither.
func (c Config) openBoth(ctx context.Context) (*postgres.DB, *warehouse.DB, error) {
	key, err := c.secretKey()
	if err != nil {
		return nil, nil, err
	}
	vault, err := c.vaultKeys()
	if err != nil {
		return nil, nil, err
	}
	if !vault.On() {
		c.Logger.Warn("no identities are kept, and opinions with a contact are refused: name the file of a key by --vault-key (GROUNDWORK_VAULT_KEY)")
	}
	if key == nil {
		c.Logger.Warn("a citizen whose answer is lost loses the secret of the opinion: name the file of a key by --security-key (GROUNDWORK_SECURITY_KEY)")
	}
	store, err := c.openAs(ctx, postgres.RoleApp, postgres.Options{SecretKey: key, VaultKeys: vault})
	if err != nil {
		return nil, nil, err
	}
	house, err := c.openWarehouse(ctx)
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	return store, house, nil
}

// engines are the embedded children that a run has started; either is nil where a server is used instead.
type engines struct {
	postgres   *embedded.Postgres
	clickHouse *embedded.Engine
	unlock     func()
}

// startEngines starts the children that the configuration asks for, both at once, and leaves in the configuration the addresses
// that they listen on.
func startEngines(ctx context.Context, cfg *Config) (_ *engines, err error) {
	e := &engines{unlock: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.stop(context.WithoutCancel(ctx)))
		}
	}()
	if cfg.embeddedPostgres() || cfg.embeddedClickHouse() {
		unlock, err := embedded.LockDataDir(cfg.DataDir)
		if err != nil {
			return nil, err
		}
		e.unlock = unlock
	}
	started := make(chan error, 2)
	go func() { started <- e.startPostgres(ctx, cfg) }()
	go func() { started <- e.startClickHouse(ctx, cfg) }()
	if err := errors.Join(<-started, <-started); err != nil {
		return nil, err
	}
	if e.postgres != nil {
		cfg.Postgres = e.postgres.Addr()
	}
	if e.clickHouse != nil {
		u, _ := url.Parse(e.clickHouse.URL()) // its own URL is well formed
		cfg.ClickHouse = u.Host
	}
	return e, nil
}

func (e *engines) startPostgres(ctx context.Context, cfg *Config) (err error) {
	if !cfg.embeddedPostgres() {
		return nil
	}
	e.postgres, err = embedded.StartPostgres(ctx, embedded.PostgresConfig{DataDir: cfg.postgresDir(), Addr: cfg.Postgres, Logger: cfg.Logger})
	if err != nil {
		return err
	}
	return postgres.CreateDatabase(ctx, e.postgres.DSN("postgres"), databaseName)
}

func (e *engines) startClickHouse(ctx context.Context, cfg *Config) (err error) {
	if !cfg.embeddedClickHouse() {
		return nil
	}
	e.clickHouse, err = embedded.StartEngine(ctx, embedded.EngineConfig{DataDir: cfg.engineDir(), Addr: cfg.ClickHouse, Logger: cfg.Logger})
	return err
}

// failed is closed, or gets a value, when a child has ended for good although nobody asked it to.
func (e *engines) failed(ctx context.Context) error {
	var postgresDone, clickHouseDone <-chan struct{}
	if e.postgres != nil {
		postgresDone = e.postgres.Done()
	}
	if e.clickHouse != nil {
		clickHouseDone = e.clickHouse.Done()
	}
	select {
	case <-ctx.Done():
		return nil
	case <-postgresDone:
		return e.postgres.Err()
	case <-clickHouseDone:
		return e.clickHouse.Err()
	}
}

// stop ends the children, the warehouse first, since nothing depends on it.
func (e *engines) stop(ctx context.Context) error {
	var faults []error
	if e.clickHouse != nil {
		faults = append(faults, e.clickHouse.Stop(ctx))
	}
	if e.postgres != nil {
		faults = append(faults, e.postgres.Stop(ctx))
	}
	e.unlock()
	return errors.Join(faults...)
}
