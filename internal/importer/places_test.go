package importer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subject, text string
		want          Place
	}{
		"county":                    {"A3区道路", "", Place{"西地省", "A市", "A3区"}},
		"with its prefecture":       {"西地省A市A3区道路", "", Place{"西地省", "A市", "A3区"}},
		"finest wins over subject":  {"A市道路", "在A7县", Place{"西地省", "A市", "A7县"}},
		"subject before text":       {"A3区道路", "A7县 A7县", Place{"西地省", "A市", "A3区"}},
		"most often in text":        {"道路", "A3区、B2区、B2区", Place{"西地省", "B市", "B2区"}},
		"first of equals":           {"道路", "A3区、B2区", Place{"西地省", "A市", "A3区"}},
		"county-level city":         {"C4市图书馆", "", Place{"西地省", "C市", "C4市"}},
		"two digits":                {"K10县搬迁", "", Place{"西地省", "K市", "K10县"}},
		"autonomous":                {"M6州旅游", "", Place{"西地省", "M市", "M6州"}},
		"prefecture":                {"Ｂ市公交", "", Place{"西地省", "B市"}},
		"full-width":                {"Ａ３区公交", "", Place{"西地省", "A市", "A3区"}},
		"province":                  {"西地省政策", "", Place{"西地省"}},
		"none":                      {"道路", "", nil},
		"part of an estate":         {"华美家园A区3栋", "二期B区域", nil},
		"part of an estate in city": {"A市华美家园B区", "", Place{"西地省", "A市"}},
		"lower case block":          {"三角洲c2区3栋", "", nil},
		"user name":                 {"网友A00031618", "A00031618区", nil},
		"Latin word":                {"IT市场", "KTV3区", nil},
		"market":                    {"A市场", "", nil},
		"city market":               {"A市市场", "", Place{"西地省", "A市"}},
		"after a year":              {"2018L3县新高一", "", Place{"西地省", "L市", "L3县"}},
		"number out of range":       {"A20区 A0区 A99县", "", nil},
		"block of a district":       {"B2区栋距", "", Place{"西地省", "B市", "B2区"}},
	} {
		require.Equal(t, c.want, FindPlace(c.subject, c.text, DefaultProvince), name)
	}
	require.Equal(t, Place{"东山省", "A市"}, FindPlace("A市", "西地省", "东山省"))
}

func TestRegionCode(t *testing.T) {
	t.Parallel()
	for code, path := range map[string][]string{
		"990000000000": {"西地省"},
		"990100000000": {"西地省", "A市"},
		"992600000000": {"西地省", "Z市"},
		"990103000000": {"西地省", "A市", "A3区"},
		"990505000000": {"西地省", "E市", "E5区"},
		"990525000000": {"西地省", "E市", "E5县"},
		"991366000000": {"西地省", "M市", "M6州"},
		"990384000000": {"西地省", "C市", "C4市"},
	} {
		require.Equal(t, code, RegionCode(path))
	}
	for _, path := range [][]string{nil, {"西地省", "长市"}, {"西地省", "A市", "B3区"}, {"西地省", "A市", "A20区"}, {"a", "A市", "A3区", "x"}} {
		require.Empty(t, RegionCode(path), path)
	}
}

func TestEveryCodeIsUnique(t *testing.T) {
	t.Parallel()
	codes := map[string]string{}
	for letter := 'A'; letter <= 'Z'; letter++ {
		for _, number := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19"} {
			for _, kind := range []string{"区", "县", "州", "市"} {
				name := string(letter) + number + kind
				code := FindPlace(name, "", DefaultProvince).Code()
				require.Len(t, code, 12)
				require.NotContains(t, codes, code, name)
				codes[code] = name
			}
		}
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	records := []Record{{Place: Place{"西地省", "B市", "B2区"}}, {Place: Place{"西地省", "A市"}}, {}}
	require.Equal(t, []Region{
		{"990000000000", "", "PROVINCE", "西地省"},
		{"990100000000", "990000000000", "PREFECTURE", "A市"},
		{"990200000000", "990000000000", "PREFECTURE", "B市"},
		{"990202000000", "990200000000", "COUNTY", "B2区"},
	}, Regions(records))
}

func FuzzFindPlace(f *testing.F) {
	f.Add("A市A3区", "ＩＴ市场 西地省")
	f.Add("\xff", "A1")
	f.Fuzz(func(t *testing.T, subject, text string) {
		p := FindPlace(subject, text, DefaultProvince)
		require.True(t, len(p) == 0 || len(p.Code()) == 12, "%q", p)
		require.True(t, len(p) < 3 || p[2][:1] == p[1][:1])
	})
}
