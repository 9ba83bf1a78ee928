// Package embedded runs the two database servers of the embedded default as child processes: Postgres (the system of
// record) and the ClickHouse engine (the warehouse, `groundwork engine`).
//
// The rest of Groundwork only sees addresses and passwords, so that embedded and real servers differ in nothing but a
// URL. What this package promises to its caller:
//
//   - StartPostgres and StartEngine return when the server answers queries, or with an error that names the remedy.
//   - A child never outlives its parent, not even after kill -9 of the parent (child.go).
//   - After kill -9 of anything, the next start is clean: half-made clusters, stale lock files and orphans are dealt
//     with (cluster.go, orphan.go).
//   - Two instances never share a data directory (lock.go).
//   - Started by root, Postgres runs without root's rights (identity.go).
//
// It runs on Linux.
package embedded
