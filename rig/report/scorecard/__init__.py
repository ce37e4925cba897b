"""The scorecard of a comparison: how stable, how costly, how secure, how portable each bearer is, as measured."""

from rig.report.scorecard.figures import Traffic
from rig.report.scorecard.model import Scorecard, Statement
from rig.report.scorecard.reading import scorecard_of, write_scorecard
from rig.report.scorecard.tariffs import Tariffs, load_tariffs

__all__ = ["Scorecard", "Statement", "Tariffs", "Traffic", "load_tariffs", "scorecard_of", "write_scorecard"]
