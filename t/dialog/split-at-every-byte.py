#!/usr/bin/env python3
"""Dialogues once more, with each byte in a packet of its own: what a daemon
answers may not depend on how its input is cut. Those that are about input
which comes too early stay out.
"""
import contextlib
import glob
import io
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import dialog  # noqa: E402

WANTED = ('smtpd/smuggling-*', 'smtpd/data*', 'smtpd/auth-[lp]*[!d].dlg',
          'smtpd/starttls.dlg', 'smtpd/commands-*', 'smtpd/line-*',
          'smtpd/rcpt*', 'login/auth-[lp]*', 'login/user-pass.dlg',
          'login/line-*', 'login/name-*', 'login/stls.dlg',
          'login/imap-[bilp]*.dlg', 'login/imap-starttls.dlg',
          'login/imap-tags.dlg', 'login/imap-auth-fails.dlg')

dialog.Client.split = True
count = failed = 0
for pattern in WANTED:
    for path in sorted(glob.glob(os.path.join(HERE, pattern))):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            bad = dialog.Dialog(path).run()
        count += 1
        failed += bad
        print('%sok %d - %s' % ('not ' if bad else '', count,
                                os.path.relpath(path, HERE)))
        if bad:
            print(''.join('# %s\n' % l for l in out.getvalue().splitlines()
                          if not l.startswith('ok')), end='')
print('1..%d' % count)
sys.exit(failed != 0)
