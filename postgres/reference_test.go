package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

var clerk = groundwork.Actor{ID: "import", Role: groundwork.RoleSystem}

func date(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

// regionRow is a row of a file of regions that leaves level and parent to the code.
func regionRow(line int, code, name string) groundwork.RegionRow {
	level := groundwork.LevelOfCode(code)
	return groundwork.RegionRow{Line: line, ParentCode: groundwork.ParentCode(code, level), Region: groundwork.Region{Code: code, Level: level, Name: name}}
}

// counted is a result without its refusals and receipt.
func counted(r groundwork.ReferenceResult) [4]int {
	return [4]int{r.Added, r.Changed, r.Known, r.Removed}
}

func TestImportRegions(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.NewDB(t), t.Context()
	rows := []groundwork.RegionRow{ // the tree from below
		regionRow(2, "990101001000", "街道"), regionRow(3, "990101000000", "A1区"), regionRow(4, "990100000000", "A市"), regionRow(5, "990000000000", "Z省"),
		regionRow(6, "880100000000", "X市"),
	}
	dry, err := db.ImportRegions(ctx, clerk, rows, groundwork.ReferenceOptions{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, [4]int{4, 0, 0, 0}, counted(dry))
	none, err := db.RegionByCode(ctx, "990000000000")
	require.NoError(t, err)
	require.Nil(t, none, "a dry run keeps nothing")

	var progress []int
	first, err := db.ImportRegions(ctx, clerk, rows, groundwork.ReferenceOptions{Progress: func(done int) { progress = append(progress, done) }})
	require.NoError(t, err)
	require.Equal(t, counted(dry), counted(first))
	require.Equal(t, dry.Refused, first.Refused)
	require.NotZero(t, first.Receipt.LSN)
	require.Equal(t, 5, progress[len(progress)-1])
	require.Equal(t, []groundwork.RefusedRow{{Line: 6, Field: "parent", Value: "880000000000", Reason: "the region above, 880000000000, does not exist; list it in this file or import it first"}}, first.Refused)
	street, err := db.RegionByCode(ctx, "990101001000")
	require.NoError(t, err)
	require.Equal(t, []string{"990000000000", "990100000000", "990101000000", "990101001000"}, street.Path)

	again, err := db.ImportRegions(ctx, clerk, rows[:4], groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 0, 4, 0}, counted(again), "the same file changes nothing")

	changed := regionRow(2, "990101000000", "A1新区")
	changed.Region.Latitude, changed.Region.Longitude = new(28.1), new(112.9)
	moved := regionRow(3, "990102000000", "A2区")
	moved.ParentCode = "990000000000"
	level := regionRow(4, "990100000000", "A市")
	level.Region.Level, level.ParentCode = groundwork.County, "990100000000"
	result, err := db.ImportRegions(ctx, clerk, []groundwork.RegionRow{changed, moved, level}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 1, 0, 0}, counted(result))
	require.Equal(t, "parentId", result.Refused[0].Field, "a county does not lie directly below a province")
	require.Equal(t, "level", result.Refused[1].Field, "a region keeps its level")

	kept, err := db.ImportRegions(ctx, clerk, []groundwork.RegionRow{regionRow(2, "990101000000", "A1新区")}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 0, 1, 0}, counted(kept), "empty cells keep what is there")
}

// towns imports a province with two prefectures of the same name of unit.
func towns(t *testing.T) *postgres.DB {
	db := pgtest.NewDB(t)
	_, err := db.ImportRegions(t.Context(), clerk, []groundwork.RegionRow{
		regionRow(2, "990000000000", "Z省"), regionRow(3, "990100000000", "A市"), regionRow(4, "990200000000", "B市"),
	}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	return db
}

func unitRow(line int, name, region string, parent groundwork.UnitRef) groundwork.UnitRow {
	return groundwork.UnitRow{Line: line, Unit: groundwork.OrgUnit{Name: name, Kind: groundwork.GovtUnit}, RegionCode: region, Parent: parent}
}

func TestImportSites(t *testing.T) {
	t.Parallel()
	db, ctx := towns(t), t.Context()
	rows := []groundwork.SiteRow{
		{Line: 2, RegionCode: "990100000000", Site: groundwork.Site{Kind: groundwork.School, Name: "第一小学"}},
		{Line: 3, RegionCode: "990100000000", Site: groundwork.Site{Kind: groundwork.Factory, Name: "第一小学"}},
		{Line: 4, RegionCode: "990900000000", Site: groundwork.Site{Kind: groundwork.School, Name: "无"}},
		{Line: 5, RegionCode: "990200000000", Site: groundwork.Site{Kind: groundwork.School, Name: "半", Latitude: new(1.0)}},
	}
	result, err := db.ImportSites(ctx, clerk, rows, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{2, 0, 0, 0}, counted(result))
	require.Equal(t, []int{4, 5}, []int{result.Refused[0].Line, result.Refused[1].Line})
	require.Equal(t, []string{"region", "longitude"}, []string{result.Refused[0].Field, result.Refused[1].Field})

	rows[0].Site.Latitude, rows[0].Site.Longitude, rows[1].Site.EligibleTo = new(28.1), new(112.9), new(date("2026-12-31"))
	result, err = db.ImportSites(ctx, clerk, rows[:2], groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 2, 0, 0}, counted(result))
	result, err = db.ImportSites(ctx, clerk, rows[:2], groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 0, 2, 0}, counted(result))
}

func TestImportUnits(t *testing.T) {
	t.Parallel()
	db, ctx := towns(t), t.Context()
	rows := []groundwork.UnitRow{
		unitRow(2, "路灯所", "990100000000", groundwork.UnitRef{Name: "城管局", RegionCode: "990100000000"}), // before the one above it
		unitRow(3, "城管局", "990100000000", groundwork.UnitRef{Name: "省住建厅"}),
		unitRow(4, "城管局", "990200000000", groundwork.UnitRef{Name: "省住建厅"}),
		unitRow(5, "省住建厅", "", groundwork.UnitRef{}),
		unitRow(6, "市容所", "990100000000", groundwork.UnitRef{Name: "城管局"}), // which of the two?
		unitRow(7, "无处", "991100000000", groundwork.UnitRef{}),
	}
	result, err := db.ImportUnits(ctx, clerk, rows, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{5, 0, 0, 0}, counted(result))
	require.Contains(t, result.Refused[0].Reason, "several regions have a unit of this name; give the code of its region beside (the unit itself was added")
	require.Equal(t, groundwork.RefusedRow{Line: 7, Field: "region", Value: "991100000000", Reason: "there is no region of this code; import it first (groundwork import regions)"}, result.Refused[1])

	units, err := db.OrgUnits(ctx, groundwork.OrgUnitFilter{Name: "路灯所"}, groundwork.PageRequest{First: 1})
	require.NoError(t, err)
	above, err := db.OrgUnits(ctx, groundwork.OrgUnitFilter{Under: nil, Name: "城管局"}, groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	var bureau *groundwork.OrgUnit
	for _, u := range above.Items {
		if *u.RegionID == *units.Items[0].RegionID {
			bureau = u
		}
	}
	require.Equal(t, bureau.ID, *units.Items[0].ParentID)

	again, err := db.ImportUnits(ctx, clerk, rows[:4], groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 0, 4, 0}, counted(again))

	ring := unitRow(2, "省住建厅", "", groundwork.UnitRef{Name: "路灯所"})
	result, err = db.ImportUnits(ctx, clerk, []groundwork.UnitRow{ring}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Contains(t, result.Refused[0].Reason, "lies below the unit itself")
	self := unitRow(2, "省住建厅", "", groundwork.UnitRef{Name: "省住建厅"})
	result, err = db.ImportUnits(ctx, clerk, []groundwork.UnitRow{self}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Contains(t, result.Refused[0].Reason, "lies below the unit itself")
}

func TestImportOfficialsAndDispatchRules(t *testing.T) {
	t.Parallel()
	db, ctx := towns(t), t.Context()
	_, err := db.ImportUnits(ctx, clerk, []groundwork.UnitRow{unitRow(2, "城管局", "990100000000", groundwork.UnitRef{}), unitRow(3, "城管局", "990200000000", groundwork.UnitRef{})}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	bureau := groundwork.UnitRef{Name: "城管局", RegionCode: "990100000000"}

	post := func(line int, title, from string, to *time.Time) groundwork.OfficialRow {
		return groundwork.OfficialRow{Line: line, Pseudonym: "P-001", Unit: bureau, Post: groundwork.PostHolding{Rank: groundwork.RankCounty, Title: title, HeldFrom: date(from), HeldTo: to}}
	}
	rows := []groundwork.OfficialRow{post(2, "副局长", "2022-01-01", nil), post(3, "局长", "2024-03-01", nil), post(4, "局长", "2020-01-01", new(date("2019-01-01")))}
	rows = append(rows, groundwork.OfficialRow{Line: 5, Pseudonym: "P-002", Unit: groundwork.UnitRef{Name: "城管局"}, Post: rows[0].Post})
	result, err := db.ImportOfficials(ctx, clerk, rows, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{2, 0, 0, 0}, counted(result))
	require.Equal(t, []string{"heldTo", "unit"}, []string{result.Refused[0].Field, result.Refused[1].Field})
	rows[0].Post.HeldTo = new(date("2024-03-01"))
	result, err = db.ImportOfficials(ctx, clerk, rows[:2], groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 1, 1, 0}, counted(result), "the end of a post is a change of it")
	officials, err := db.Officials(ctx, groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	require.Len(t, officials.Items, 1, "nobody comes into being by a refused row")

	_, _, err = db.CreateCategory(ctx, clerk, groundwork.Category{Code: "0201", Name: "路灯", ValidFrom: date("2020-01-01")})
	require.NoError(t, err)
	_, _, err = db.CreateCategory(ctx, clerk, groundwork.Category{Code: "0201", Name: "照明", ValidFrom: date("2025-01-01")})
	require.NoError(t, err)
	rule := func(line int, code, from string) groundwork.DispatchRuleRow {
		return groundwork.DispatchRuleRow{Line: line, CategoryCode: code, Unit: bureau, Rule: groundwork.DispatchRule{RegionLevel: groundwork.Prefecture, Basis: "权责清单", ValidFrom: date(from)}}
	}
	rules := []groundwork.DispatchRuleRow{rule(2, "0201", "2024-01-01"), rule(3, "0201", "2025-06-01"), rule(4, "0201", "2019-01-01"), rule(5, "0999", "2024-01-01")}
	result, err = db.ImportDispatchRules(ctx, clerk, rules, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{2, 0, 0, 0}, counted(result))
	require.Equal(t, []int{4, 5}, []int{result.Refused[0].Line, result.Refused[1].Line})
	rules[0].Rule.ValidTo = new(date("2025-01-01"))
	result, err = db.ImportDispatchRules(ctx, clerk, rules[:2], groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 1, 1, 0}, counted(result))
}

func TestImportHolidays(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.NewDB(t), t.Context()
	has, err := db.HasCalendar(ctx)
	require.NoError(t, err)
	require.False(t, has)
	rows := []groundwork.HolidayRow{{Line: 2, Day: date("2027-01-01"), Note: "元旦"}, {Line: 3, Day: date("2027-01-03"), Worked: true, Note: "调休"}, {Line: 4, Day: date("2026-10-01"), Note: "国庆节"}}
	result, err := db.ImportHolidays(ctx, clerk, rows, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{3, 0, 0, 0}, counted(result))
	has, err = db.HasCalendar(ctx)
	require.NoError(t, err)
	require.True(t, has)
	result, err = db.ImportHolidays(ctx, clerk, rows, groundwork.ReferenceOptions{Replace: true})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 0, 3, 0}, counted(result))

	corrected := []groundwork.HolidayRow{{Line: 2, Day: date("2027-01-01"), Note: "元旦"}, {Line: 3, Day: date("2027-01-02"), Worked: true}}
	result, err = db.ImportHolidays(ctx, clerk, corrected, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 0, 1, 0}, counted(result))
	result, err = db.ImportHolidays(ctx, clerk, corrected, groundwork.ReferenceOptions{Replace: true})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 0, 2, 1}, counted(result), "3 January 2027 is gone; 2026 is none of the file's years")
}

func TestImportCategories(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.NewDB(t), t.Context()
	row := func(line int, code string, path ...string) groundwork.CategoryRow {
		return groundwork.CategoryRow{Line: line, Code: code, Path: path}
	}
	rows := []groundwork.CategoryRow{row(2, "", "城乡建设", "市政", "路灯"), row(3, "", "城乡建设", "市政", "井盖"), row(4, "X9", "城乡建设", "绿化"), row(5, "", "教育")}
	result, err := db.ImportCategories(ctx, clerk, rows, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{6, 0, 0, 0}, counted(result), "two more, above the rows' own")
	services, err := db.Services(ctx, time.Now(), "")
	require.NoError(t, err)
	var codes []string
	for _, s := range services {
		codes = append(codes, s.Code)
	}
	require.Equal(t, []string{"010101", "010102", "02", "X9"}, codes)

	rows = append(rows, row(6, "", "城乡建设", "市政", "公厕"), row(7, "0102", "城乡建设"), row(8, "X9", "文化"))
	result, err = db.ImportCategories(ctx, clerk, rows, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 0, 4, 0}, counted(result))
	require.Equal(t, []int{7, 8}, []int{result.Refused[0].Line, result.Refused[1].Line})
	added, err := db.Services(ctx, time.Now(), "010103")
	require.NoError(t, err)
	require.Equal(t, []string{"城乡建设", "市政", "公厕"}, added[0].Path)
}

// An audited minimum is set and changed where the category is; without one the row leaves it as it is.
func TestImportAuditedMinimums(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.NewDB(t), t.Context()
	row := func(line int, minutes *int, path ...string) groundwork.CategoryRow {
		return groundwork.CategoryRow{Line: line, Path: path, AuditedMinimumMinutes: minutes}
	}
	minimums := func() map[string]*int {
		page, err := db.Categories(ctx, groundwork.CategoryFilter{}, groundwork.PageRequest{First: 10})
		require.NoError(t, err)
		found := map[string]*int{}
		for _, c := range page.Items {
			require.Equal(t, 1, c.Version)
			found[c.Name] = c.AuditedMinimumMinutes
		}
		return found
	}
	for _, step := range []struct {
		rows    []groundwork.CategoryRow
		counted [4]int
		want    map[string]*int
	}{
		{[]groundwork.CategoryRow{row(2, new(30), "市政", "路灯"), row(3, nil, "市政", "井盖")}, [4]int{3, 0, 0, 0}, map[string]*int{"市政": nil, "路灯": new(30), "井盖": nil}},
		{[]groundwork.CategoryRow{row(2, nil, "市政", "路灯"), row(3, new(5), "市政", "井盖"), row(4, new(60), "市政")}, [4]int{0, 2, 1, 0}, map[string]*int{"市政": new(60), "路灯": new(30), "井盖": new(5)}},
		{[]groundwork.CategoryRow{row(2, new(45), "市政", "路灯"), row(3, new(5), "市政", "井盖")}, [4]int{0, 1, 1, 0}, map[string]*int{"市政": new(60), "路灯": new(45), "井盖": new(5)}},
	} {
		result, err := db.ImportCategories(ctx, clerk, step.rows, groundwork.ReferenceOptions{})
		require.NoError(t, err)
		require.Equal(t, step.counted, counted(result))
		require.Equal(t, step.want, minimums())
	}
	tooLong := 10*366*24*60 + 1
	result, err := db.ImportCategories(ctx, clerk, []groundwork.CategoryRow{row(2, new(0), "市政", "路灯"), row(3, new(tooLong), "公园", "座椅"), row(4, nil)}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 0, 0, 0}, counted(result))
	require.Len(t, result.Refused, 3)
	for i, field := range []string{"auditedMinimumMinutes", "auditedMinimumMinutes", "level1"} {
		require.Equal(t, 2+i, result.Refused[i].Line)
		require.Equal(t, field, result.Refused[i].Field)
	}
	require.Contains(t, result.Refused[0].Reason, "give 1 to 5270400, or leave it out")
}

// A new version keeps the audited minimum, as it keeps targets, unless it brings another.
func TestVersionsKeepTheAuditedMinimum(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.NewDB(t), t.Context()
	create := func(from string, minutes *int) *int {
		c, _, err := db.CreateCategory(ctx, clerk, groundwork.Category{Code: "0201", Name: "路灯", AuditedMinimumMinutes: minutes, ValidFrom: date(from)})
		require.NoError(t, err)
		return c.AuditedMinimumMinutes
	}
	require.Nil(t, create("2020-01-01", nil))
	require.Equal(t, new(30), create("2021-01-01", new(30)))
	require.Equal(t, new(30), create("2022-01-01", nil))
	require.Equal(t, new(45), create("2023-01-01", new(45)))
	_, _, err := db.CreateCategory(ctx, clerk, groundwork.Category{Code: "0202", Name: "井盖", AuditedMinimumMinutes: new(0), ValidFrom: date("2020-01-01")})
	require.ErrorContains(t, err, "give 1 to 5270400")
}

func TestImportTargets(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.NewDB(t), t.Context()
	_, _, err := db.CreateCategory(ctx, clerk, groundwork.Category{Code: "0201", Name: "路灯", ValidFrom: date("2020-01-01")})
	require.NoError(t, err)
	row := func(line int, code, from string, resolution int) groundwork.TargetRow {
		return groundwork.TargetRow{Line: line, CategoryCode: code, Target: groundwork.TargetVersion{Severity: groundwork.SeverityNormal, AckMinutes: 60, ResponseMinutes: 600,
			ResolutionMinutes: resolution, TimeBase: groundwork.WorkingTime, PublishedAt: date("2024-01-01"), ValidFrom: date(from)}}
	}
	rows := []groundwork.TargetRow{row(2, "0201", "2024-02-01", 4800), row(3, "", "2024-02-01", 9600), row(4, "0999", "2024-02-01", 4800), row(5, "0201", "2023-02-01", 4800), row(6, "0201", "2024-03-01", 5)}
	result, err := db.ImportTargets(ctx, clerk, rows, groundwork.ReferenceOptions{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, [4]int{2, 0, 0, 0}, counted(result))
	result, err = db.ImportTargets(ctx, clerk, rows, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{2, 0, 0, 0}, counted(result), "the dry run kept nothing")
	require.Equal(t, []string{"category", "validFrom", "ackMinutes"}, []string{result.Refused[0].Field, result.Refused[1].Field, result.Refused[2].Field})
	result, err = db.ImportTargets(ctx, clerk, rows[:2], groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{0, 0, 2, 0}, counted(result))
	result, err = db.ImportTargets(ctx, clerk, []groundwork.TargetRow{row(2, "0201", "2024-02-01", 2400), row(3, "0201", "2024-06-01", 2400)}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 0, 0, 0}, counted(result))
	require.Contains(t, result.Refused[0].Reason, "never changes")
	page, err := db.TargetVersions(ctx, groundwork.TargetFilter{}, groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
}
