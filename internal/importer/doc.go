// Package importer reads what other systems know (a message board's CSV, an Open311 answer) into plain records.
// It is the pure half of `groundwork import`: no database, no log, no clock of its own. What it understood comes back as
// Records, what it did not as Rejects with line and reason; nothing is dropped without a trace.
//
// The rules that a reader of the numbers should know are written where they are applied:
//
//   - times and their precision: times.go
//   - damaged rows and where reading resumes: rows.go
//   - the place of a message: places.go
//   - which messages are repeats of one matter: repeats.go
//   - the kind of a message: kinds.go
//   - closing times of Open311 requests, and clocks without AM/PM: open311.go
package importer
