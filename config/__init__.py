"""What an installation decides: settings, working-group profiles, fiscal calendars. Imports models only."""
