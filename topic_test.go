package groundwork

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                   "",
		"污水处理厂的臭味":                           "处理 水处 污水 理厂 臭味",
		"小区停电，停电":                            "停电 区停 小区",
		"The bridge isn't safe; the BRIDGE!": "bridge safe",
		"no water in Ｂｌｏｃｋ Ａ":                "block water",
		"路灯broken三天":                         "broken 三天 路灯",
		"臭味😷扰民":                              "扰民 臭味",
		"call 13800138000 or 5G, unit 3b":    "unit",
		"write to li.mei@example.com or see https://example.com/pothole": "write",
		"请联系limei@qq.com谢谢":                                              "联系 谢谢",
		"www.example.com/leak":                                           "",
		"don’t park on sidewalk/bike-lane":                               "bike lane park sidewalk",
		"水":                                                              "",
		"我的水":                                                            "",
		"переезд закрыт":                                                 "закрыт переезд",
		"an ox":                                                          "",
		strings.Repeat("x", 25):                                          "",
	} {
		require.Equal(t, want, strings.Join(Words(text), " "), text)
	}
	long := &strings.Builder{}
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			long.WriteString("zz" + string(a) + string(b) + " ")
		}
	}
	require.Len(t, Words(long.String()), maxWords)
}

func FuzzWords(f *testing.F) {
	for _, seed := range []string{"污水处理厂的臭味", "The bridge isn't safe", "路灯broken三天😷 li@example.com 138", "\xff污\xff水", "ＷＷＷ．Ａ．ＣＯＭ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := Words(text)
		require.LessOrEqual(t, len(words), maxWords)
		require.True(t, slices.IsSorted(words))
		require.Equal(t, words, slices.Compact(slices.Clone(words)))
		for _, word := range words {
			require.True(t, utf8.ValidString(word), "%q", word)
			require.False(t, strings.ContainsFunc(word, func(c rune) bool { return unicode.IsDigit(c) || unicode.IsSpace(c) || unicode.IsPunct(c) }), "%q", word)
			if n := len([]rune(word)); n < shortestWord {
				require.True(t, n == 2 && !strings.ContainsAny(word, emptyCharacters), "%q", word)
			}
			require.LessOrEqual(t, len([]rune(word)), longestWord)
			require.False(t, emptyWords[word], "%q", word)
		}
	})
}
