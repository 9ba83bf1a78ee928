package model

import "time"

// MeasureIssues are a page of the issues behind a cell.
type MeasureIssues struct {
	Total     int
	Nodes     []*Issue
	EndCursor *ID
	AsOf      time.Time
}
