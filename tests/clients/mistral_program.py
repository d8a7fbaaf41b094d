"""What runs in Mistral's interpreter: its real engine, executor and notifier in one process, with a database in memory.

The first argument is what the workflow's ``notify`` says, as JSON; the second the folder in which it runs, where it
leaves a log. Others are folders in which it finds more code.
"""

from typing import Final

__all__ = ["PRELUDE", "RUN"]

PRELUDE: Final = """
import logging, os, unittest, warnings
warnings.simplefilter("ignore")
NOTIFY, HERE, *FOLDERS = sys.argv[1:]
os.chdir(HERE)
sys.path[:0] = FOLDERS
from mistral.tests.unit.notifiers import base  # has to be the first of Mistral's
from oslo_config import cfg
from mistral.notifiers import notification_events
from mistral.services import workbooks

cfg.CONF.set_default("auth_enable", False, group="pecan")
cfg.CONF.set_default("type", "local", group="notifier")

WORKBOOK = '''
version: "2.0"
name: book
workflows:
  flow:
    tasks:
      good:
        action: std.noop
        on-success: bad
      bad:
        action: std.fail
'''
"""

RUN: Final = """
class Run(base.NotifierTestCase):
    def runTest(self):
        # The service listens where Mistral calls nobody by default.
        cfg.CONF.set_default("denied_cidrs", [], group="action_std_http")
        workbooks.create_workbook_v2(WORKBOOK)
        notify = [{"event_types": notification_events.EVENTS, **each} for each in json.loads(NOTIFY)]
        started = self.engine.start_workflow("book.flow", "", notify=notify)
        self.await_workflow_error(started.id)
        answer(execution=started.id)

result = unittest.TextTestRunner(stream=sys.stderr).run(Run())
sys.stdout.flush()
# Threads of its own keep it from ending.
os._exit(0 if result.wasSuccessful() else 1)
"""
