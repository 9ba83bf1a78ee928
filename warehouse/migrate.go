package warehouse

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"regexp"
	"strings"
	"testing/fstest"
	"text/template"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/pressly/goose/v3"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// clusterName is what ClickHouse takes for a cluster name without quoting.
var clusterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Layout says on what the schema is created. The zero Layout is one server, or the embedded engine.
type Layout struct {
	Cluster string // name of the cluster whose hosts all get the schema, with replicated tables; empty = one server
}

// Migrate brings the schema up to date and returns how many migrations it applied. Migrations only go forward.
func Migrate(ctx context.Context, db *DB, layout Layout) (applied int, err error) {
	provider, release, err := layout.provider(db)
	if err != nil {
		return 0, err
	}
	defer release()
	results, err := provider.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate warehouse %s: %w", db.Database(), err)
	}
	return len(results), nil
}

// Pending returns the file names of the migrations that Migrate would apply.
func Pending(ctx context.Context, db *DB, layout Layout) (files []string, err error) {
	provider, release, err := layout.provider(db)
	if err != nil {
		return nil, err
	}
	defer release()
	status, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schema version of warehouse %s: %w", db.Database(), err)
	}
	for _, migration := range status {
		if migration.State == goose.StatePending {
			files = append(files, migration.Source.Path)
		}
	}
	return files, nil
}

// provider reads the migrations for the layout; release gives its connections back.
func (l Layout) provider(db *DB) (provider *goose.Provider, release func(), err error) {
	files, err := l.render()
	if err != nil {
		return nil, nil, err
	}
	std := clickhouse.OpenDB(db.options)
	provider, err = goose.NewProvider(goose.DialectClickHouse, std, files, goose.WithTableName("schema_version"),
		goose.WithAllowOutofOrder(true)) // as in the system of record: numbers belong to nouns, not to days
	if err != nil {
		_ = std.Close()
		return nil, nil, fmt.Errorf("read warehouse migrations: %w", err)
	}
	return provider, func() { _ = std.Close() }, nil
}

// render fills the templates of the schema files for the layout.
func (l Layout) render() (fs.FS, error) {
	if l.Cluster != "" && !clusterName.MatchString(l.Cluster) {
		return nil, fmt.Errorf("ClickHouse cluster name %q: use letters, digits and underscores", l.Cluster)
	}
	entries, err := fs.Glob(schemaFiles, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	files := fstest.MapFS{}
	for _, name := range entries {
		text, err := template.ParseFS(schemaFiles, name)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		var out bytes.Buffer
		if err := text.Execute(&out, l); err != nil {
			return nil, fmt.Errorf("render %s: %w", name, err)
		}
		files[strings.TrimPrefix(name, "schema/")] = &fstest.MapFile{Data: out.Bytes()}
	}
	return files, nil
}

// OnCluster is the clause that sends a statement to every host of the cluster.
func (l Layout) OnCluster() string {
	if l.Cluster == "" {
		return ""
	}
	return " ON CLUSTER " + l.Cluster
}

// Durable are the settings by which an insert is answered only when it is on the disk: what was acknowledged outlives a loss of power.
func (l Layout) Durable() string { return "fsync_after_insert = 1, fsync_part_directory = 1" }

// AtRest are the settings by which a table to which nothing came for ten minutes is merged to one part.
func (l Layout) AtRest() string {
	return "min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1"
}

// Replacing is the engine of a mirror: of all rows with a key the one with the highest _ver stands.
func (l Layout) Replacing() string { return l.ReplacingBy("_ver, _deleted") }

// ReplacingBy is a ReplacingMergeTree with the given parameters, replicated on a cluster.
func (l Layout) ReplacingBy(parameters string) string {
	if l.Cluster == "" {
		return "ReplacingMergeTree(" + parameters + ")"
	}
	return "ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', " + parameters + ")"
}

// Appending is the engine of a table to which rows are only added.
func (l Layout) Appending() string {
	if l.Cluster == "" {
		return "MergeTree"
	}
	return "ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')"
}

// Deduplicated is the setting by which a table notices an insert that was sent twice; replicated ones do by themselves.
func (l Layout) Deduplicated() string {
	if l.Cluster == "" {
		return ", non_replicated_deduplication_window = 1000"
	}
	return ""
}

// quote makes an identifier safe to stand in a statement.
func quote(identifier string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(identifier) + "`"
}

// redact hides the password of a URL that goes into a message.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(unreadable)"
	}
	return u.Redacted()
}
