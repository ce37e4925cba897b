"""What people read after a run: Allure, timelines, summary, manifest."""

from rig.report.allure import find_allure
from rig.report.attach import attach_case
from rig.report.finish import Finished, finish_run
from rig.report.node import find_node

__all__ = ["Finished", "attach_case", "find_allure", "find_node", "finish_run"]
