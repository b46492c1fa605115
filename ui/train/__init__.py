"""The form, the jobs and the runs of Train."""
