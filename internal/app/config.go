// Package app wires the parts of Groundwork together: it is the only package, beside cmd, that knows them all.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"

	"groundwork/files"
)

// Config says where everything is. cmd/groundwork fills it from flags, environment and file (docs/configuration.md).
type Config struct {
	HTTP        string // address that the API listens on
	Postgres    string // host:port of the embedded Postgres, or the postgres:// URL of a server
	ClickHouse  string // host:port of the embedded engine, or the http(s):// or clickhouse:// URL of a server
	DataDir     string // where the embedded engines keep their data
	Files       string // s3:// address of the store for evidence files, empty = below DataDir
	Cluster     string // name of the ClickHouse cluster, empty = a single server
	Metrics     string // loopback address that /metrics is served on, empty = nowhere
	SecurityKey string // file of the key with which the audit is sealed, empty = below DataDir for the embedded Postgres, else none
	VaultKey    string // file of the keys with which identities are encrypted, empty = below DataDir for the embedded Postgres, else none
	Slot        string // replication slot in Postgres, empty = named after the database

	Auth                 AuthConfig
	Rates                RateConfig
	TrustedProxies       []string // addresses and ranges of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed
	TrustedDocuments     string   // file of the documents that clients may send by their ids, empty = none
	TrustedDocumentsOnly bool     // answer no other documents
	AllowUnauthenticated bool     // let others than this machine reach the API though callers do not prove who they are
	NoSample             bool     // do not load the bundled sample into an empty system of record
	Demo                 int64    // load a simulated province of as many issues into an empty system of record instead; 0 = do not
	Retention            bool     // chores: take away what was kept as long as the rules of retention say
	GraphiQL             bool     // serve GraphiQL and answer introspection

	Logger *slog.Logger
}

// Validate reports every fault of the configuration, each with its remedy.
func (c Config) Validate() error {
	var faults []error
	if err := checkAddress("--http", "GROUNDWORK_HTTP", c.HTTP); err != nil {
		faults = append(faults, err)
		_, err = c.Rates.meter(c)
		faults = append(faults, err)
	} else if !c.AllowUnauthenticated && !c.Auth.on() && !loopback(c.HTTP) {
		faults = append(faults, fmt.Errorf("--http %q reaches beyond this machine, and callers do not have to prove who they are: give --auth-oidc or --auth-keys, listen on 127.0.0.1, or put an authenticating proxy in front and say --allow-unauthenticated", c.HTTP))
	}
	if c.Metrics != "" {
		if err := checkAddress("--metrics", "GROUNDWORK_METRICS", c.Metrics); err != nil {
			faults = append(faults, err)
		} else if !loopback(c.Metrics) {
			faults = append(faults, fmt.Errorf("--metrics (GROUNDWORK_METRICS) %q reaches beyond this machine, and whoever asks need not prove who they are: listen on 127.0.0.1 and let an agent on this machine scrape it, or an authenticating proxy forward to it", c.Metrics))
		}
	}
	faults = append(faults, c.Auth.validate())
	_, err := parseProxies(c.TrustedProxies)
	faults = append(faults, err)
	if c.TrustedDocumentsOnly && c.TrustedDocuments == "" {
		faults = append(faults, errors.New("--trusted-documents-only (GROUNDWORK_TRUSTED_DOCUMENTS_ONLY) would refuse every document: name the file of those that are answered by --trusted-documents"))
	}
	faults = append(faults, checkStore("--postgres", "GROUNDWORK_POSTGRES", c.Postgres, "postgres", "postgresql"))
	faults = append(faults, checkStore("--clickhouse", "GROUNDWORK_CLICKHOUSE", c.ClickHouse, "http", "https", "clickhouse"))
	if c.Files != "" {
		if _, err := files.OpenS3(c.Files); err != nil {
			faults = append(faults, fmt.Errorf("--files (GROUNDWORK_FILES): %w", err))
		}
	}
	if c.DataDir == "" {
		faults = append(faults, errors.New("--data-dir (GROUNDWORK_DATA) is empty: name a directory"))
	}
	return errors.Join(faults...)
}

// embeddedPostgres reports whether Postgres is a child of ours rather than a server named by its URL.
func (c Config) embeddedPostgres() bool { return !strings.Contains(c.Postgres, "://") }

// embeddedClickHouse reports the same of ClickHouse.
func (c Config) embeddedClickHouse() bool { return !strings.Contains(c.ClickHouse, "://") }

func (c Config) postgresDir() string { return filepath.Join(c.DataDir, "postgres") }
func (c Config) engineDir() string   { return filepath.Join(c.DataDir, "clickhouse") }

// openFiles opens the store for evidence files, and makes sure that it is there.
func (c Config) openFiles(ctx context.Context) (files.Blobs, error) {
	if c.Files == "" {
		return files.Disk{Dir: filepath.Join(c.DataDir, "files")}, nil
	}
	store, err := files.OpenS3(c.Files)
	if err != nil {
		return nil, err
	}
	return store, store.Check(ctx)
}

func checkAddress(flag, env, address string) error {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return fmt.Errorf("%s (%s) %q is no address: write host:port, such as 127.0.0.1:8080", flag, env, address)
	}
	return nil
}

func checkStore(flag, env, value string, schemes ...string) error {
	if !strings.Contains(value, "://") {
		return checkAddress(flag, env, value)
	}
	scheme, _, _ := strings.Cut(value, "://")
	for _, known := range schemes {
		if scheme == known {
			// clickhouse-go and pgx accept several hosts in a URL, which net/url does not; they check the rest themselves.
			return nil
		}
	}
	if u, err := url.Parse(value); err == nil {
		value = u.Redacted()
	}
	return fmt.Errorf("%s (%s) %q: the URL of a server starts with %s://", flag, env, value, strings.Join(schemes, ":// or "))
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
