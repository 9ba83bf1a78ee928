package groundwork

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"
)

// How the words of opinions are read (docs/decisions/0380-topic-pulse.md).
const (
	WordReader   = 1    // version of all this; a later one reads opinions again
	maxWords     = 64   // of one opinion, the first in its text
	maxWordsText = 8000 // bytes of a text that are read
	shortestWord = 3    // letters
	longestWord  = 24   // letters: a longer one is none
)

// TopicStore knows the words of the terms that the warehouse counts.
type TopicStore interface {
	// TopicWords returns the words of terms by what some opinions say: of those terms alone that at least eleven known reporters of these opinions use.
	TopicWords(ctx context.Context, opinionIDs []uuid.UUID) (map[int64]string, error)
	// UnreadOpinions counts the opinions whose words are still to be read, up to a limit.
	UnreadOpinions(ctx context.Context, limit int) (Count, error)
}

// Characters and words that say nothing of a matter. A word of Chinese does not reach over such a character.
const emptyCharacters = "的了是在我你您他她它们这那和与及也都就个请把被让给从对为以于之其而但或吗呢吧啊呀么着过很还又已将"

var emptyWords = wordSet(`a about above after again against all also am an and any are aren as ask asked at be because been before being below between both but by call called can
	cannot could couldn did didn do does doesn doing don down during each even ever every few for from further get got had hadn has hasn have haven having he her here hers him his
	how if in into is isn it its itself just know let like make many may me more most much must my myself need never no nor not now of off on once one only or other our ours out
	over own people please said same say says see seen shall she should shouldn since so some still such than thank thanks that the their theirs them then there these they thing
	things this those through time to told too under until up us use used very want was wasn we well went were weren what when where which while who whom why will with within
	without won would wouldn yet you your yours`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

// Words are the distinct words of an opinion by which topics are told, in order: of Chinese the pairs of neighbouring characters, since it sets no blanks between
// words and most have two; of other scripts, words of at least three letters. Nothing with a digit, and no address of mail or of a page, is a word.
func Words(text string) []string {
	r := wordReader{seen: map[string]bool{}}
	for _, c := range text[:min(len(text), maxWordsText)] {
		if c >= '！' && c <= '～' { // the wide forms of ASCII
			c -= '！' - '!'
		}
		switch {
		case unicode.Is(unicode.Han, c):
			r.endToken()
			r.chinese = append(r.chinese, c)
		case unicode.IsLetter(c), unicode.IsMark(c), unicode.IsDigit(c), strings.ContainsRune(inTokens, c):
			r.endChinese()
			r.token = append(r.token, unicode.ToLower(c))
		default:
			r.endToken()
			r.endChinese()
		}
	}
	r.endToken()
	r.endChinese()
	slices.Sort(r.words)
	return r.words
}

// inTokens are the characters inside of addresses and of what is shortened.
const inTokens = "'’@./:-_+%#?=&"

// wordReader gathers words; chinese and token are what stands before the present character, one of them empty.
type wordReader struct {
	chinese, token []rune
	words          []string
	seen           map[string]bool
}

func (r *wordReader) add(word string) {
	if !r.seen[word] && len(r.words) < maxWords {
		r.seen[word] = true
		r.words = append(r.words, word)
	}
}

func (r *wordReader) endChinese() {
	for i := range len(r.chinese) - 1 {
		if pair := string(r.chinese[i : i+2]); !strings.ContainsAny(pair, emptyCharacters) {
			r.add(pair)
		}
	}
	r.chinese = r.chinese[:0]
}

func (r *wordReader) endToken() {
	token := string(r.token)
	r.token = r.token[:0]
	if strings.Contains(token, "@") || strings.Contains(token, "://") || strings.HasPrefix(token, "www.") {
		return
	}
	for _, word := range strings.FieldsFunc(token, func(c rune) bool { return strings.ContainsRune("@./:-_+%#?=&", c) }) {
		word, _, _ = strings.Cut(strings.ReplaceAll(word, "’", "'"), "'")
		if n := len([]rune(word)); n >= shortestWord && n <= longestWord && !emptyWords[word] && !strings.ContainsFunc(word, unicode.IsDigit) {
			r.add(word)
		}
	}
}
