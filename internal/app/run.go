package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"groundwork/etl"
	"groundwork/internal/embedded"
	"groundwork/postgres"
	"groundwork/warehouse"
)

// stopPatience bounds an orderly stop: answering the requests in hand, flushing the replication, ending the engines.
const stopPatience = 20 * time.Second

// Up runs everything until ctx is done: engines where no servers are named, migrations, replication, API. It prints the addresses
// to out when all of it is ready.
func Up(ctx context.Context, cfg Config, out io.Writer) (err error) {
	if err := cfg.Validate(); err != nil {
		return err
	}
	documents, err := cfg.documents()
	if err != nil {
		return err
	}
	listener, err := listen(cfg.HTTP)
	if err != nil {
		return err
	}
	defer listener.Close()
	cfg.HTTP = listener.Addr().String()
	figures, err := openMetrics(cfg)
	if err != nil {
		return err
	}
	defer figures.close()
	children, err := startEngines(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
		defer cancel()
		err = errors.Join(err, children.stop(stopCtx))
	}()
	if err := Migrate(ctx, cfg, false, io.Discard); err != nil {
		return err
	}
	store, house, err := cfg.openBoth(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	defer house.Close()
	replicator, err := newReplicator(cfg, house, figures)
	if err != nil {
		return err
	}
	if err := furnish(ctx, cfg, out); err != nil {
		return err
	}

	blobs, err := cfg.openFiles(ctx)
	if err != nil {
		return err
	}
	identify, err := cfg.identify(ctx, store)
	if err != nil {
		return err
	}
	forJobs, err := cfg.openForJobs(ctx)
	if err != nil {
		return err
	}
	defer forJobs.Close()
	chores, err := newRunner(ctx, cfg, forJobs)
	if err != nil {
		return err
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return children.failed(ctx) })
	group.Go(func() error { return chores.Run(ctx) })
	group.Go(func() error { return replicator.Run(ctx) })
	group.Go(func() error { return (&warehouse.Keeper{DB: house, Logger: cfg.Logger}).Run(ctx) })
	group.Go(func() error { return figures.serve(ctx, cfg) })
	group.Go(func() error {
		return serveHTTP(ctx, cfg, listener, newHandler(ctx.Done(), cfg, store, house, replicator, blobs, documents, identify, figures))
	})
	group.Go(func() error { return announce(ctx, cfg, children, house, replicator, out) })
	return ignoreStop(group.Wait())
}

// furnish gives a new system its calendar and something to look at, as its owner.
func furnish(ctx context.Context, cfg Config, out io.Writer) error {
	store, err := cfg.openWithKey(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := loadHolidays(ctx, cfg, store); err != nil {
		return err
	}
	return loadFirst(ctx, cfg, store, out)
}

// Serve runs the API alone.
func Serve(ctx context.Context, cfg Config, out io.Writer) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	documents, err := cfg.documents()
	if err != nil {
		return err
	}
	listener, err := listen(cfg.HTTP)
	if err != nil {
		return err
	}
	defer listener.Close()
	store, house, err := cfg.openBoth(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	defer house.Close()
	blobs, err := cfg.openFiles(ctx)
	if err != nil {
		return err
	}
	identify, err := cfg.identify(ctx, store)
	if err != nil {
		return err
	}
	figures, err := openMetrics(cfg)
	if err != nil {
		return err
	}
	defer figures.close()
	fmt.Fprintf(out, "GraphQL     http://%s/graphql\n", listener.Addr())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return figures.serve(ctx, cfg) })
	group.Go(func() error {
		return serveHTTP(ctx, cfg, listener, newHandler(ctx.Done(), cfg, store, house, nil, blobs, documents, identify, figures))
	})
	return ignoreStop(group.Wait())
}

// Migrate brings both schemas up to date, or says what that would do.
func Migrate(ctx context.Context, cfg Config, dryRun bool, out io.Writer) error {
	dsn, err := cfg.postgresDSN()
	if err != nil {
		return err
	}
	house, err := cfg.openWarehouse(ctx)
	if err != nil {
		return err
	}
	defer house.Close()
	layout := warehouse.Layout{Cluster: cfg.Cluster}
	if dryRun {
		if err := reportPending(ctx, dsn, house, layout, out); err != nil {
			return err
		}
		return reportDefinitions(ctx, cfg, out)
	}
	inRecord, err := postgres.Migrate(ctx, dsn)
	if err != nil {
		return err
	}
	hashed, err := hashReporterKeys(ctx, cfg)
	if err != nil {
		return err
	}
	if hashed > 0 {
		fmt.Fprintf(out, "Vault: %d contacts and names of reporters hashed\n", hashed)
	}
	inWarehouse, err := warehouse.Migrate(ctx, house, layout)
	if err != nil {
		return err
	}
	kept, err := keepDefinitions(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Postgres: %d migrations applied\nClickHouse: %d migrations applied\nMeasures: %d definitions kept\n", inRecord, inWarehouse, len(kept))
	return nil
}

// hashReporterKeys hashes contacts, and user names of imports, that an earlier version kept in the vault in clear.
func hashReporterKeys(ctx context.Context, cfg Config) (int, error) {
	store, err := cfg.openWithKey(ctx)
	if err != nil {
		return 0, err
	}
	defer store.Close()
	return store.HashReporterKeys(ctx)
}

func reportPending(ctx context.Context, dsn string, house *warehouse.DB, layout warehouse.Layout, out io.Writer) error {
	inRecord, err := postgres.Pending(ctx, dsn)
	if err != nil {
		return err
	}
	inWarehouse, err := warehouse.Pending(ctx, house, layout)
	if err != nil {
		return err
	}
	for _, name := range inRecord {
		fmt.Fprintln(out, "Postgres: would apply", name)
	}
	for _, name := range inWarehouse {
		fmt.Fprintln(out, "ClickHouse: would apply", name)
	}
	if len(inRecord)+len(inWarehouse) == 0 {
		fmt.Fprintln(out, "Both schemas are up to date.")
	}
	return nil
}

func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the API cannot listen on %s: %w: end what holds the port, or choose another by --http (GROUNDWORK_HTTP)", address, err)
	}
	return listener, nil
}

// serveHTTP serves until ctx is done, then finishes the requests in hand.
func serveHTTP(ctx context.Context, cfg Config, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the API: %w", err)
	case <-ctx.Done():
	}
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if err := server.Shutdown(stopCtx); err != nil {
		cfg.Logger.Warn("requests were cut off by the stop", "err", err)
		return server.Close()
	}
	return nil
}

// announce waits until the replication has caught up for the first time and prints where everything is.
func announce(ctx context.Context, cfg Config, children *engines, house *warehouse.DB, replicator *etl.Replicator, out io.Writer) error {
	if err := replicator.AwaitStreaming(ctx); err != nil {
		return nil // the stop that interrupts it is told elsewhere
	}
	base := "http://" + cfg.HTTP
	fmt.Fprintf(out, "\nGroundwork is ready.\n")
	fmt.Fprintf(out, "GraphQL     %s/graphql  (GraphiQL: %s/graphiql)\n", base, base)
	if children.postgres != nil {
		fmt.Fprintf(out, "Postgres    psql '%s'\n", children.postgres.DSN(databaseName))
	}
	if children.clickHouse != nil {
		fmt.Fprintf(out, "ClickHouse  %s  database %s\n", children.clickHouse.URL(), databaseName)
		fmt.Fprintf(out, "  for BI    user %s, password in %s\n", embedded.EngineReadOnlyUser, cfg.engineDir()+".bi.password")
	}
	fmt.Fprintf(out, "Data        %s\nCtrl-C stops everything.\n", cfg.DataDir)
	return nil
}

// ignoreStop turns the end that was asked for into no error.
func ignoreStop(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
