package importer

import "strings"

// Kind of an opinion.
type Kind string

// The kinds of an opinion, as the system of record stores them.
const (
	Inquiry    Kind = "INQUIRY"    // asks to know
	Help       Kind = "HELP"       // asks for something to be done
	Complaint  Kind = "COMPLAINT"  // is wronged
	Report     Kind = "REPORT"     // reports another's wrongdoing
	Suggestion Kind = "SUGGESTION" // proposes
	Thanks     Kind = "THANKS"     // thanks
)

// kindWords is the whole rule: the word that stands first in the subject decides; if the subject has none, the first one
// in the text; if that has none either, it is Help, the common case on such boards. Words of courtesy ("希望", "感谢",
// "please") end most messages whatever their kind, so they count in the subject only.
var kindWords = []struct {
	kind        Kind
	words       []string
	subjectOnly bool
}{
	{Inquiry, []string{"咨询", "请问", "问问", "想问", "询问", "inquiry", "question", "would like to know"}, false},
	{Complaint, []string{"投诉", "抗议", "强烈反对", "质疑", "complaint", "complain"}, false},
	{Report, []string{"举报", "检举", "揭发", "whistleblow", "report of illegal", "reporting illegal"}, false},
	{Suggestion, []string{"建议", "提议", "suggest", "proposal"}, false},
	{Help, []string{"求助", "help with"}, false},
	{Help, []string{"希望", "盼", "请求", "恳请", "please"}, true},
	{Thanks, []string{"感谢", "致谢", "表扬", "点赞", "thank"}, true},
}

func kindOf(subject, text string) Kind {
	if kind, ok := firstKind(subject, true); ok {
		return kind
	}
	if kind, ok := firstKind(text, false); ok {
		return kind
	}
	return Help
}

func firstKind(s string, isSubject bool) (kind Kind, found bool) {
	s = strings.ToLower(s)
	first := len(s)
	for _, row := range kindWords {
		if row.subjectOnly && !isSubject {
			continue
		}
		for _, word := range row.words {
			if at := strings.Index(s, word); at >= 0 && at < first {
				first, kind, found = at, row.kind, true
			}
		}
	}
	return kind, found
}
