package warehouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// DB is an opened warehouse: one ClickHouse server, several replicas of it, or the embedded engine. Nothing differs but the URL.
type DB struct {
	driver.Conn
	options *clickhouse.Options
}

// authenticationFailed is ClickHouse's error code 516.
const authenticationFailed = 516

// Open connects to the ClickHouse at url: http(s)://user:password@host:8123/database for the HTTP interface,
// clickhouse://user:password@host:9000/database for the native one; several hosts may stand comma separated. The database is
// created if it does not exist and the user may do so.
func Open(ctx context.Context, url string) (*DB, error) {
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		return nil, fmt.Errorf("ClickHouse URL %q is malformed (%w): it should look like http://user:password@host:8123/groundwork", redact(url), err)
	}
	options.DialTimeout = 5 * time.Second
	options.MaxOpenConns, options.MaxIdleConns = 16, 8
	if err := createDatabase(ctx, options); err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("open ClickHouse at %s: %w", options.Addr, err)
	}
	if err := conn.Ping(ctx); err != nil {
		return nil, errors.Join(explain(options, err), conn.Close())
	}
	return &DB{Conn: conn, options: options}, nil
}

// Database returns the name of the database that the tables are in.
func (db *DB) Database() string { return db.options.Auth.Database }

// createDatabase connects without a database, since connecting to one that does not exist fails.
func createDatabase(ctx context.Context, options *clickhouse.Options) error {
	name := options.Auth.Database
	if name == "" || name == "default" {
		return nil
	}
	bare := *options
	bare.Auth.Database = ""
	conn, err := clickhouse.Open(&bare)
	if err != nil {
		return fmt.Errorf("open ClickHouse at %s: %w", options.Addr, err)
	}
	defer conn.Close()
	var known uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.databases WHERE name = {name:String}", clickhouse.Named("name", name)).Scan(&known); err != nil {
		return explain(options, err)
	}
	if known > 0 {
		return nil
	}
	if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quote(name)+" ENGINE = Atomic"); err != nil {
		return fmt.Errorf("create ClickHouse database %s: %w", name, err)
	}
	return nil
}

// explain turns a connection failure into a message that says what to do.
func explain(options *clickhouse.Options, err error) error {
	if ex, ok := errors.AsType[*clickhouse.Exception](err); ok && ex.Code == authenticationFailed {
		return fmt.Errorf("ClickHouse at %s refuses user %q: check the user and password in --clickhouse (GROUNDWORK_CLICKHOUSE): %w", options.Addr, options.Auth.Username, err)
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return fmt.Errorf("no ClickHouse answers at %s: is it running, and is --clickhouse (GROUNDWORK_CLICKHOUSE) right? %w", options.Addr, err)
	}
	return fmt.Errorf("connect to ClickHouse at %s: %w", options.Addr, err)
}
