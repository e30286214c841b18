"""What can be done for resellers: agree a plan, accrue, state, approve, settle."""
