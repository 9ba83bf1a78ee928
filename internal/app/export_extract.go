package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"groundwork/internal/export"
	"groundwork/warehouse"
)

// extractDefinition says what the rows of an extract are.
var extractDefinition = warehouse.Definition{
	Code: export.ExtractCode, Version: "1", Name: "Opinions", ChineseName: "意见", Anchor: "RECEIVED", Method: "census",
	Meaning: "Single opinions for one project, so coarse that nobody stands out: one row an opinion, its reporter under a pseudonym of the project.",
	Caveats: []string{"A reporter who is unknown has no pseudonym: such rows cannot be told to be of one person or of many."},
}

// Extract exports single opinions for the project whose key the file holds. The key is made for one purpose and destroyed at its end, and
// never stands in a database.
func (j ExportJob) Extract(ctx context.Context, keyFile string, withoutCategories []string) error {
	if err := export.CheckName(j.Out); err != nil {
		return fmt.Errorf("--out %w", err)
	}
	key, err := readKey(keyFile, "--project-key")
	if err != nil {
		return err
	}
	query, err := j.query()
	if err != nil {
		return err
	}
	house, err := j.openWarehouse(ctx)
	if err != nil {
		return err
	}
	defer house.Close()
	measures := warehouse.NewMeasures(house)
	sensitive, err := measures.CategoriesByCode(ctx, withoutCategories)
	if err != nil {
		return byOption(err)
	}
	extract, err := measures.Extract(ctx, warehouse.ExtractQuery{RegionLevel: query.RegionLevel, Regions: j.Regions, WithoutCategories: sensitive,
		From: query.Where.OriginFrom, To: query.Where.OriginTo})
	if err != nil {
		return byOption(err)
	}
	columns := extractColumns(extract.Rows, []byte(key))
	data, err := export.Encode(j.Out, columns)
	if err != nil {
		return err
	}
	table := &warehouse.Table{Measure: export.ExtractCode, AsOf: extract.Watermark.CommittedAt, Watermark: extract.Watermark, Excluded: extract.LeftOut}
	filters := j.filters(query.Where)
	if len(withoutCategories) > 0 {
		filters = append(filters, [2]string{"without categories, with everything below", strings.Join(withoutCategories, ", ")})
	}
	sheet := export.Sheet{File: filepath.Base(j.Out), Definition: extractDefinition, Table: table, Columns: columns, Filters: filters, Command: j.Command}
	if err := writeWhole(j.Out, data); err != nil {
		return err
	}
	if err := writeWhole(j.Out+".md", sheet.Markdown(data)); err != nil {
		return err
	}
	var left int64
	for _, n := range extract.LeftOut {
		left += n
	}
	fmt.Fprintf(j.Say, "%s: %d opinions, %d left out; what it is and why stands in %s.md\n", j.Out, len(extract.Rows), left, j.Out)
	return nil
}

// extractColumns names the reporters anew: HMAC-SHA-256 of their pseudonym under the project's key, so that rows can be linked within the project
// and, without its key, with nothing else.
func extractColumns(rows []warehouse.ExtractRow, key []byte) []export.Column {
	// The order must not be that of the pseudonyms of the system of record.
	type row struct {
		warehouse.ExtractRow
		reporter string
	}
	named := make([]row, len(rows))
	for i, r := range rows {
		named[i].ExtractRow = r
		if r.Reporter != nil {
			mac := hmac.New(sha256.New, key)
			mac.Write(r.Reporter[:])
			named[i].reporter = hex.EncodeToString(mac.Sum(nil))
		}
	}
	slices.SortStableFunc(named, func(a, b row) int {
		return slices.Compare([]string{a.RegionCode, a.Month, a.CategoryCode, a.Channel, a.Kind, a.reporter}, []string{b.RegionCode, b.Month, b.CategoryCode, b.Channel, b.Kind, b.reporter})
	})
	columns := []export.Column{
		{Name: "reporter", Meaning: "Pseudonym of the reporter in this project; NULL if unknown"},
		{Name: "region_code", Meaning: "Region, rolled up to the level of the command"},
		{Name: "month", Meaning: "Month of receipt in China"},
		{Name: "category_code", Meaning: "Category of the issue that it is on; NULL if unknown"},
		{Name: "channel", Meaning: "Way of coming in"},
		{Name: "kind", Meaning: "INQUIRY, HELP, COMPLAINT, SUGGESTION or THANKS"},
	}
	for _, r := range named {
		for i, v := range []string{r.reporter, r.RegionCode, r.Month, r.CategoryCode, r.Channel, r.Kind} {
			var value any
			if v != "" {
				value = v
			}
			columns[i].Values = append(columns[i].Values, value)
		}
	}
	return columns
}
