"""The reseller portal, where nothing can be changed."""
