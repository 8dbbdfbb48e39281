"""Where the labels are in the drawings: found by a search for few crossings and short lines that pass no other label,
and fixed, so that the graph looks the same in every export. Every other row is shifted right by half a column."""

WIDE_COORDINATES = (
    ("", "Offer", "", "QualityMetrics", "AgoraSession", "Language"),
    ("", "MilestoneProgress", "OfferReservation", "Consultation", "BankAccount", "Skill", "Verification"),
    ("PaymentGateway", "OfferConsumption", "Customer", "CustomerProfile", "Feedback", "Guide"),
    ("Payment", "Lead", "UserBehavior", "WalletOrder", "GuideWallet", "Device", "SavedMessage"),
    ("Invoice", "PromotionRule", "CustomerWallet", "Transaction", "OTPAttempt", "AuthUser", "Session"),
    ("", "", "", "Role", "Notification", "LoginActivity"),
)
NARROW_COORDINATES = (
    ("Transaction", "CustomerWallet", "PaymentGateway", "PromotionRule"),
    ("WalletOrder", "Payment", "Invoice"),
    ("", "CustomerProfile", "Lead", "OfferConsumption"),
    ("QualityMetrics", "Customer", "UserBehavior"),
    ("GuideWallet", "Consultation", "MilestoneProgress", "Offer"),
    ("AgoraSession", "OfferReservation", "Notification"),
    ("BankAccount", "Feedback", "AuthUser", "LoginActivity"),
    ("Guide", "Skill", "Role"),
    ("Language", "Verification", "Session"),
    ("SavedMessage", "Device", "OTPAttempt"),
)
