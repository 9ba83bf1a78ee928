package importer

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"groundwork"
	"groundwork/internal/importer/holidays"
)

func day(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestReadReferenceFiles(t *testing.T) {
	t.Parallel()
	regions, err := ReadRegions([]byte("\uFEFFcode,name,latitude,longitude,urban_rural,valid_from\n990100000000,A市,28.2,112.9,城镇,2020/1/1\n990000000000,Z省,,,,\n"), "r.csv")
	require.NoError(t, err)
	require.Empty(t, regions.Rejects)
	require.Equal(t, "UTF-8 with BOM", regions.Encoding)
	require.Equal(t, groundwork.RegionRow{Line: 2, ParentCode: "990000000000", Region: groundwork.Region{Code: "990100000000", Level: groundwork.Prefecture, Name: "A市",
		Latitude: new(28.2), Longitude: new(112.9), UrbanRural: new("URBAN"), ValidFrom: new(day("2020-01-01"))}}, regions.Rows[0])
	require.Equal(t, "", regions.Rows[1].ParentCode)

	sites, err := ReadSites([]byte("区划代码,类型,名称\n990100000000,学校,第一小学\n990100000000,factory,\"机械厂, 北区\"\n"), "s.csv")
	require.NoError(t, err)
	require.Equal(t, groundwork.School, sites.Rows[0].Site.Kind)
	require.Equal(t, groundwork.SiteRow{Line: 3, RegionCode: "990100000000", Site: groundwork.Site{Kind: groundwork.Factory, Name: "机械厂, 北区"}}, sites.Rows[1])

	units, err := ReadUnits([]byte("name,kind,region,parent\n路灯所,公用事业,990100000000,城管局\n"), "u.csv")
	require.NoError(t, err)
	require.Equal(t, groundwork.UnitRow{Line: 2, RegionCode: "990100000000", Unit: groundwork.OrgUnit{Name: "路灯所", Kind: groundwork.UtilityUnit}, Parent: groundwork.UnitRef{Name: "城管局"}}, units.Rows[0])

	officials, err := ReadOfficials([]byte("pseudonym,unit,rank,title,held_from,held_to\nP-001,城管局,县处级,局长,2024-03-01,\n"), "o.csv")
	require.NoError(t, err)
	require.Equal(t, groundwork.OfficialRow{Line: 2, Pseudonym: "P-001", Unit: groundwork.UnitRef{Name: "城管局"},
		Post: groundwork.PostHolding{Rank: groundwork.RankCounty, Title: "局长", HeldFrom: day("2024-03-01")}}, officials.Rows[0])

	rules, err := ReadDispatchRules([]byte("category,region_level,unit,basis,valid_from\n0201,市,城管局,权责清单 3.2,2024-01-01\n"), "d.csv")
	require.NoError(t, err)
	require.Equal(t, groundwork.Prefecture, rules.Rows[0].Rule.RegionLevel)
	require.Equal(t, "0201", rules.Rows[0].CategoryCode)

	gbk, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte("日期,安排,说明\n2027-01-01,休,元旦\n2027-01-03,班,调休\n"))
	require.NoError(t, err)
	days, err := ReadHolidays(gbk, "h.csv")
	require.NoError(t, err)
	require.Equal(t, "GB18030", days.Encoding)
	require.Equal(t, []groundwork.HolidayRow{{Line: 2, Day: day("2027-01-01"), Note: "元旦"}, {Line: 3, Day: day("2027-01-03"), Worked: true, Note: "调休"}}, days.Rows)
}

// Each bad row is refused alone, with its field and value, and the rows around it are taken.
func TestReferenceRowsRefused(t *testing.T) {
	t.Parallel()
	const header = "code,name,level,latitude,longitude,valid_from\n"
	for row, want := range map[string][2]string{
		"9901,A市,,,,":                   {"code", "9901"},
		",A市,,,,":                       {"code", ""},
		"990100000000,,,,,":             {"name", ""},
		"990100000000,A市,CITY,,,":       {"level", "CITY"},
		"990100000000,A市,,91,0,":        {"latitude", "91"},
		"990100000000,A市,,1,NaN,":       {"longitude", "NaN"},
		"990100000000,A市,,,,2020-02-30": {"valid_from", "2020-02-30"},
		"990100000000,A市,,,":            {"", "5 fields"},
		"990100000000,A\x00市,,,,":       {"name", "A市"},
		"990000000000,Y省,,,,":           {"code", "990000000000"}, // a second time, with another name
		"990100000000,\"A市,,,,":         {"", "1 lines"},          // a quote that is not closed costs its row alone
	} {
		table, err := ReadRegions([]byte(header+"990000000000,Z省,,,,\n"+row+"\n990200000000,B市,,,,\n"), "r.csv")
		require.NoError(t, err)
		require.NotEmpty(t, table.Rejects, row)
		require.Equal(t, want, [2]string{table.Rejects[0].Field, table.Rejects[0].Value}, row)
		require.NotEmpty(t, table.Rejects[0].Reason)
		require.Equal(t, 3, table.Rejects[0].Line)
		require.Equal(t, "990200000000", table.Rows[len(table.Rows)-1].Region.Code, row)
		require.Equal(t, table.Read, len(table.Rows)+len(table.Rejects)+table.Duplicates)
	}
	twice, err := ReadRegions([]byte("code,name\n990000000000,Z省\n990000000000,Z省\n"), "r.csv")
	require.NoError(t, err)
	require.Equal(t, 1, twice.Duplicates)
	require.Empty(t, twice.Rejects)
}

func TestReferenceFilesRefused(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"":                        "the file is empty; expected the columns code (区划代码)",
		"# only a remark\n":       "the file is empty",
		"name\nA市\n":              "missing column code (区划代码); found name",
		"code,name,区划代码\n":        "column code stands twice",
		"code,name,\"level\n":     "header line 1",
		"code,name\n\xff\xfe\xff": "neither UTF-8 nor GB18030",
	} {
		_, err := ReadRegions([]byte(file), "r.csv")
		require.ErrorContains(t, err, want, file)
	}
	_, err := ReadOfficials([]byte("pseudonym,姓名,unit,rank,title,held_from\nP-1,甲,x,COUNTY,y,2024-01-01\n"), "o.csv")
	require.ErrorContains(t, err, `column "姓名": names of officials are not imported`)
	require.NotContains(t, err.Error(), "甲")
}

// The bundled calendar is as the notices have it: each holiday as long as ordered, each make-up day on a weekend, and the working days
// of each year as commonly counted.
func TestBundledHolidays(t *testing.T) {
	t.Parallel()
	table, err := ReadHolidays(holidays.China, holidays.Name)
	require.NoError(t, err)
	require.Empty(t, table.Rejects)
	calendar, rest, work := groundwork.Calendar{}, map[string]int{}, map[int]int{}
	for _, r := range table.Rows {
		calendar[r.Day.Format(time.DateOnly)] = r.Worked
		if r.Worked {
			require.Contains(t, []time.Weekday{time.Saturday, time.Sunday}, r.Day.Weekday(), r.Day)
			work[r.Day.Year()]++
			continue
		}
		rest[r.Day.Format("2006 ")+r.Note]++
	}
	require.Equal(t, map[int]int{2023: 7, 2024: 8, 2025: 5, 2026: 6}, work)
	require.Equal(t, map[string]int{
		"2023 元旦": 2, "2023 春节": 7, "2023 清明节": 1, "2023 劳动节": 5, "2023 端午节": 3, "2023 中秋节、国庆节": 8,
		"2024 元旦": 1, "2024 春节": 8, "2024 清明节": 3, "2024 劳动节": 5, "2024 端午节": 1, "2024 中秋节": 3, "2024 国庆节": 7,
		"2025 元旦": 1, "2025 春节": 8, "2025 清明节": 3, "2025 劳动节": 5, "2025 端午节": 3, "2025 国庆节、中秋节": 8,
		"2026 元旦": 3, "2026 春节": 9, "2026 清明节": 3, "2026 劳动节": 5, "2026 端午节": 3, "2026 中秋节": 3, "2026 国庆节": 7,
	}, rest)
	for year, want := range map[int]int{2023: 249, 2024: 251, 2025: 248, 2026: 248} {
		days := 0
		for d := time.Date(year, 1, 1, 12, 0, 0, 0, groundwork.China); d.Year() == year; d = d.AddDate(0, 0, 1) {
			if calendar.Workday(d) {
				days++
			}
		}
		require.Equal(t, want, days, year)
	}
	require.True(t, strings.HasPrefix(string(holidays.China), "# "), "the file names its sources")
}

func TestReadCategories(t *testing.T) {
	t.Parallel()
	table, err := ReadCategories([]byte("一级分类,二级分类,三级分类\n城乡建设,市政,路灯\n教育,,\n文化,,博物馆\n"), "c.csv")
	require.NoError(t, err)
	require.Equal(t, []groundwork.CategoryRow{{Line: 2, Path: []string{"城乡建设", "市政", "路灯"}}, {Line: 3, Path: []string{"教育"}}}, table.Rows)
	require.Equal(t, "level3", table.Rejects[0].Field)

	table, err = ReadCategories([]byte("level1,核定最短办理分钟\nroads,60\nparks,\nlamps,0\nsigns,-5\ntrees,1.5\nbenches,an hour\n"), "c.csv")
	require.NoError(t, err)
	require.Equal(t, []groundwork.CategoryRow{{Line: 2, Path: []string{"roads"}, AuditedMinimumMinutes: new(60)}, {Line: 3, Path: []string{"parks"}}}, table.Rows)
	for i, raw := range [][]string{{"lamps", "0"}, {"signs", "-5"}, {"trees", "1.5"}, {"benches", "an hour"}} {
		require.Equal(t, Reject{File: "c.csv", Line: 4 + i, Field: "audited_minimum_minutes", Value: raw[1], Reason: "expected a whole number of minutes, from 1 up", Raw: raw}, table.Rejects[i])
	}
}
