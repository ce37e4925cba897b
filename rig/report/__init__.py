"""What people read after a run: Allure, timelines, summary, manifest."""
