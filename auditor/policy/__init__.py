"""Policies: what a team demands of its models, as data, in the language of rules, over facts and what an audit found."""
