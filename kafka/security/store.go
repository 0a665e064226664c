package security

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/prantikov/millrace/config"
)

// largestStore bounds a file of certificates: more than any, less than a file that was named by mistake.
const largestStore = 4 << 20

// store is one file of certificates or keys, with the settings that it comes from.
type store struct {
	// path is the setting that names the file, or that is the text itself.
	path string
	file string
	// text is what stands in the setting itself; then there is no file.
	text string
	// typePath and kind are the setting that says what the file is, and its value: empty for what it is.
	typePath, kind string
	// passwordPath and password open it.
	passwordPath string
	password     config.Secret
}

// read returns the content and what it is.
func (s store) read() (data []byte, kind string, err error) {
	if s.text != "" {
		if kindOf([]byte(s.text)) != config.StorePEM {
			return nil, "", s.wrong("it is not PEM", "write what begins with -----BEGIN, or name the file with "+strings.TrimSuffix(s.path, "_pem")+"_file")
		}
		return []byte(s.text), config.StorePEM, nil
	}
	file, err := os.Open(s.file)
	if err != nil {
		return nil, "", s.wrong("it cannot be read: "+plain(err), "write the name of a file that this user may read")
	}
	defer func() { _ = file.Close() }()
	data, err = io.ReadAll(io.LimitReader(file, largestStore+1))
	switch {
	case err != nil:
		return nil, "", s.wrong("it cannot be read: "+plain(err), "write the name of a file that this user may read")
	case len(data) > largestStore:
		return nil, "", s.wrong("it is larger than 4 MiB", "write the name of a file with certificates")
	}
	switch kind = kindOf(data); {
	case kind == "":
		return nil, "", s.wrong("it is neither PEM nor PKCS 12 nor JKS", "write the name of a file with certificates")
	case !fits(s.kind, kind):
		return nil, "", &config.Mistake{Path: s.typePath, Value: strconv.Quote(s.kind), Reason: fmt.Sprintf("%s %q is %s", s.path, s.file, kind),
			Advice: "write what it is, or leave it out"}
	}
	return data, kind, nil
}

// kindOf recognises what a file is; empty for none of what is known.
func kindOf(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}):
		return config.StoreJKS
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return config.StorePEM
	case bytes.HasPrefix(data, []byte{0x30}):
		return config.StorePKCS12
	default:
		return ""
	}
}

// fits says whether a file may have been meant by its type. Java takes each of its two types for the other, and keytool writes PKCS 12 into a
// file that is called .jks, so we do.
func fits(said, kind string) bool {
	return said == "" || said == kind || said != config.StorePEM && kind != config.StorePEM
}

// wrong is a mistake about the file.
func (s store) wrong(reason, advice string) error {
	mistake := &config.Mistake{Path: s.path, Reason: reason, Advice: advice}
	if s.file != "" {
		mistake.Value = strconv.Quote(s.file)
	}
	return mistake
}

// named is the setting with its file, when it has one.
func (s store) named() string {
	if s.file == "" {
		return s.path
	}
	return s.path + " " + strconv.Quote(s.file)
}

// wrongPassword is the mistake of a file that its password does not open.
func (s store) wrongPassword(path string, password config.Secret) error {
	if !password.IsSet() {
		return &config.Mistake{Path: path, Reason: s.named() + " needs a password, and there is none", Advice: "set it, or " + path + "_file"}
	}
	return &config.Mistake{Path: path, Reason: "it does not open " + s.named(), Advice: "correct it"}
}

// plain drops the operation and the path, which the sentence around it has already.
func plain(err error) string {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err.Error()
	}
	return err.Error()
}
