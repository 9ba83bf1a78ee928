package warehouse

import "io/fs"

// HandOver limits how many groups ClickHouse may hand over, so that tests reach the coarser units with few rows.
func (m *Measures) HandOver(groups uint64) { m.maxGroups = groups }

// Render returns the schema files as the layout fills them.
func (l Layout) Render() (fs.FS, error) { return l.render() }

// WithoutBase makes the measures read the mirror alone.
func (m *Measures) WithoutBase() { m.mirrorOnly = true }
