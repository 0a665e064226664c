package notification

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"
)

// The names of the channels, as a directory has them.
const (
	ChannelSMTP    = "smtp"
	ChannelWebhook = "webhook"
)

// Recipient is where somebody is reached.
type Recipient struct {
	// Channel is smtp or webhook.
	Channel string `json:"channel"`
	// Address is a mail address, or a URL.
	Address string `json:"address"`
}

// Directory says where somebody of an audience is reached; found is false when it knows nobody of that id. An error means that it cannot be
// asked now: the consumer holds until it can. Its text is not shown, for it may have the id in it. It is called from many goroutines.
type Directory func(ctx context.Context, audience Audience, id string) (recipient Recipient, found bool, err error)

// DirectorySettings says which directory is asked: one of the two.
type DirectorySettings struct {
	// File is a CSV or JSON file.
	File string
	// URL is a service, with {audience} and {id} in it; Token is what it is shown, if anything; Cache is how long an answer is good.
	URL   string
	Token string
	Cache time.Duration
}

// openDirectory chooses the directory.
func (n *Notifier) openDirectory() (Directory, error) {
	settings := n.settings.Directory
	set := func(channel string) bool {
		return channel == ChannelSMTP && n.settings.SMTP != nil || channel == ChannelWebhook && n.settings.Webhook != nil
	}
	switch {
	case n.needs.Directory != nil && (settings.File != "" || settings.URL != ""):
		return nil, errors.New("notification.directory: the program has a directory of its own, and one is set too: remove the setting")
	case n.needs.Directory != nil:
		return n.needs.Directory, nil
	case settings.File != "":
		file, err := openDirectoryFile(settings.File, set, n.needs.Logger)
		if err != nil {
			return nil, fmt.Errorf("notification.directory.file: %w", err)
		}
		return file.find, nil
	case settings.URL != "":
		service, err := newDirectoryService(settings)
		if err != nil {
			return nil, fmt.Errorf("notification.directory.url: %w", err)
		}
		return service.find, nil
	default:
		return nil, errors.New("notification.directory: a channel is set, and nothing says where anybody is reached: set notification.directory.file or notification.directory.url")
	}
}

// checkRecipient says in a sentence, without the address, what is wrong with an entry.
func checkRecipient(recipient Recipient, set func(channel string) bool) error {
	switch recipient.Channel {
	case ChannelSMTP, ChannelWebhook:
	default:
		return errors.New("its channel is neither smtp nor webhook")
	}
	if !set(recipient.Channel) {
		return fmt.Errorf("its channel %s is not set: see notification.%s", recipient.Channel, recipient.Channel)
	}
	if recipient.Channel == ChannelWebhook {
		_, err := secureURL(recipient.Address)
		return err
	}
	return checkMailAddress(recipient.Address)
}

// secureURL parses a URL that may have what nobody else is to read in its requests. The error does not quote it.
func secureURL(address string) (*url.URL, error) {
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http":
		return nil, errors.New("its address is no http or https URL")
	case parsed.Scheme == "http" && !isLoopback(parsed.Hostname()):
		return nil, errors.New("its address has no TLS: only on this machine that is allowed")
	}
	return parsed, nil
}

// isLoopback says whether a host is this machine.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
