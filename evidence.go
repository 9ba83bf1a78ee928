package groundwork

import (
	"context"
	"slices"
	"strings"
	"time"
)

// EvidenceFile is a file that was uploaded as evidence. It is known by what it holds: the same content is one file, and no reference
// to it can ever mean something else. Its name stays with whoever uploaded it, for names tell of people.
type EvidenceFile struct {
	SHA256    string // lower-case hexadecimal
	Size      int64
	MediaType string
	CreatedAt time.Time
}

// evidencePrefix begins a reference to an uploaded file among the evidence of a claim; other references point elsewhere.
const evidencePrefix = "sha256:"

// Reference is how a claim names the file.
func (f EvidenceFile) Reference() string { return evidencePrefix + f.SHA256 }

// EvidenceTypes are the media types that evidence may have: what cameras, scanners and recorders make, and nothing that runs.
var EvidenceTypes = []string{"image/jpeg", "image/png", "image/webp", "application/pdf", "video/mp4", "audio/mpeg"}

// Validate examines a file that was received.
func (f EvidenceFile) Validate() error {
	return firstError(
		check(f.Size > 0, "file", "the file is empty"),
		check(slices.Contains(EvidenceTypes, f.MediaType), "mediaType", "files of type %q are no evidence here; give one of %s", f.MediaType, join(EvidenceTypes)),
	)
}

// EvidenceContents is where lies what the files hold.
type EvidenceContents interface {
	// Delete takes away the content of a hash, for good, and answers when that is safe against loss of power. Where it is gone already there is
	// nothing to do; where the whole store is not there, that is an error.
	Delete(ctx context.Context, sha256 string) error
}

// EvidenceStore knows which files were uploaded; what they hold is kept elsewhere.
type EvidenceStore interface {
	// RecordEvidence notes a file whose content is safe already. The same file again is noted once.
	RecordEvidence(ctx context.Context, by Actor, f EvidenceFile) (*EvidenceFile, Receipt, error)
	// EvidenceFile returns a file that the actor may read: an upload of its own, or one that a claim or a task names which it reaches;
	// nil if there is none.
	EvidenceFile(ctx context.Context, by Actor, sha256 string) (*EvidenceFile, error)
}

// MayUpload reports whether the role brings evidence: whoever works on issues, and reporters with an account.
func MayUpload(by Actor) bool {
	return by.Role == RoleCitizen && by.ID != Anonymous.ID || slices.Contains(workers, by.Role)
}

// ReadsEvidence reports whether the role may read what others uploaded, of the issues and tasks that it reaches: which those are, the rows say.
func ReadsEvidence(r Role) bool { return slices.Contains(workers, r) }

// uploaded lists the hashes of the files among evidence.
func uploaded(evidence []string) []string {
	var hashes []string
	for _, e := range evidence {
		if hash, ok := strings.CutPrefix(e, evidencePrefix); ok {
			hashes = append(hashes, hash)
		}
	}
	return hashes
}

// UploadedEvidence lists the hashes of the files that the step brings as evidence.
func (s Step) UploadedEvidence() []string { return uploaded(s.Evidence) }

// evidenceExists refuses references to files that nobody uploaded: evidence that cannot be opened is none.
func evidenceExists(a *attempt) error { return wereUploaded(a.step.Evidence, a.facts.Uploaded) }

func wereUploaded(evidence, files []string) error {
	for _, hash := range uploaded(evidence) {
		if !slices.Contains(files, hash) {
			return Invalid("evidence", "no file %s was uploaded; put it to /files first", evidencePrefix+hash)
		}
	}
	return nil
}
