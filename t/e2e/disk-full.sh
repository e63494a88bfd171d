#!/bin/sh
# A full disk, no inodes, a Maildir that cannot be written: 4xx, nothing
# lost, and it goes on by itself when there is room again.
. "$(dirname "$0")/../lib.sh"
need_root
need curl
mkdir -p "$INST/spool"
mount -t tmpfs -o size=4m,nr_inodes=200 postern-t "$INST/spool" 2>/dev/null ||
	skip_all "cannot mount a tmpfs here"
mkdir -p "$INST/mail"
mount -t tmpfs -o size=8m,mode=755 postern-t "$INST/mail"
unmount() {
	"$TOP/t/instance" stop "$INST" >/dev/null 2>&1
	umount "$INST/spool" 2>/dev/null
	umount "$INST/mail" 2>/dev/null
	cleanup
}
trap unmount EXIT
instance_start --users 2 --set spool-reserve=0 --set retry-min=1s \
    --set retry-max=2s

answer() { # FILE: the answer to it at port 25
	curl -sS -v --mail-from a@client.test --mail-rcpt "$USER1" --crlf \
	    --upload-file "$1" "smtp://127.0.0.1:$SMTP_PORT/client.test" 2>&1 |
		tr -d '\r' | sed -n 's/^< \([245]..[ -].*\)/\1/p' | tail -2 |
		grep -v '^221' | tail -1
}
message a@client.test "$USER1" small >"$T/small"
{
	message a@client.test "$USER1" large
	head -c 1500000 /dev/zero | tr '\0' x | fold -w 72
} >"$T/large"

like "room enough: accepted" "$(answer "$T/small")" '^250'
ok "and delivered" mail_wait user001 1
ok "and gone from the spool" wait_for 20 queue_is 0

head -c 100000000 /dev/zero >"$INST/spool/filler" 2>/dev/null
like "full: a small one is told to come again" "$(answer "$T/small")" \
    '^4(52|51) 4\.3\.'
like "full: so is a large one" "$(answer "$T/large")" '^4(52|51) 4\.3\.'
rm "$INST/spool/filler"
like "room again: accepted" "$(answer "$T/small")" '^250'
like "room again: a large one, too" "$(answer "$T/large")" '^250'
ok "both delivered" mail_wait user001 3
ok "and gone from the spool, too" wait_for 20 queue_is 0

i=0
mkdir "$INST/spool/filler"
while true 2>/dev/null >"$INST/spool/filler/$i"; do
	i=$((i + 1))
done 2>/dev/null
like "no inodes: come again" "$(answer "$T/small")" '^4(52|51) 4\.3\.'
rm -r "$INST/spool/filler"
like "inodes again: accepted" "$(answer "$T/small")" '^250'
ok "and delivered" mail_wait user001 4
ok "nothing is left in the spool" wait_for 10 queue_is 0

# The mailbox's disk is full: it waits in the queue.
head -c 100000000 /dev/zero >"$INST/mail/filler" 2>/dev/null
like "mailbox's disk full: accepted" "$(answer "$T/small")" '^250'
deferred() {
	log_has 'ev=deferred.*user001'
}
ok "and deferred" wait_for 20 deferred
ok "it waits" queue_is 1
rm "$INST/mail/filler"
ok "room again: delivered by itself" mail_wait user001 5 30
ok "the queue empties" wait_for 10 queue_is 0
finish
